import { type AskedQuestion, rangeOf, type SeenGroup, timeOfInput } from './naive-inputs.js'
import type { Input } from './naive-metrics.js'
import { lookUp, Unanswerable } from './naive-rows.js'
import { floorTo, GRAINS, plus, readMs, span, written } from './naive-time.js'
import type { Cell } from './shop.js'

/**
 * The groups that `fill` adds: every period of the one time that is asked for, for each combination of the other
 * dimensions. From the first to the last period of the question's range, if it is one of that time, else of the groups.
 */
export function filledCells(
  asked: AskedQuestion,
  groups: readonly SeenGroup[],
  inputs: readonly Input[],
): (readonly Cell[])[] {
  const timed = asked.dimensions.flatMap((name, index) => {
    const grain = GRAINS.find((each) => each === grainOf(name))
    return grain ? [{ name, index, grain }] : []
  })
  const [only, ...others] = timed
  if (!only || others.length > 0) throw new Unanswerable('one time is filled')
  const ends = rangeEnds(asked, only.name, inputs) ?? visibleEnds(groups, only)
  if (!ends) return []
  const rest = groups.map(({ cells }) =>
    cells.map((cell, index) => (index === only.index ? null : cell)),
  )
  const combinations = asked.dimensions.length === 1 ? [[null]] : unique(rest)
  const periods: string[] = []
  for (let at = floorTo(ends[0], only.grain); at <= ends[1]; at = plus(at, 1, only.grain)) {
    periods.push(written(at, only.grain, true))
  }
  return combinations.flatMap((cells) =>
    periods.map((period) => cells.map((cell, index) => (index === only.index ? period : cell))),
  )
}

function unique(lists: readonly (readonly Cell[])[]): (readonly Cell[])[] {
  return [...new Map(lists.map((cells) => [JSON.stringify(cells), cells])).values()]
}

/** The range says which periods there are only where it is one of the very time that is filled, in every fact. */
function rangeEnds(
  asked: AskedQuestion,
  filled: string,
  inputs: readonly Input[],
): readonly [number, number] | undefined {
  const [range] = rangeOf(asked)
  const isSame = inputs.every((input) => {
    const [one, other] = [range?.dimension ?? filled, filled].map((name) =>
      lookUp(name, input.cube, timeOfInput(input)),
    )
    return one?.column === other?.column && one?.path.join() === other?.path.join()
  })
  if (!range || !isSame) return undefined
  const [[from], [, to]] = [span(asked.time_range?.start ?? ''), span(asked.time_range?.end ?? '')]
  return [from, to - 1]
}

/** `day` in `orders.ordered_on.day`, but not in the dimension `balances.day`. */
function grainOf(name: string): string | undefined {
  return /^(?:metric_time|.+\..+)\.(\w+)$/.exec(name)?.[1]
}

function visibleEnds(
  groups: readonly SeenGroup[],
  { index, name }: { readonly index: number; readonly name: string },
): readonly [number, number] | undefined {
  const times = groups.flatMap(({ cells }) => beginningOf(name, cells[index] ?? null) ?? [])
  return times.length > 0 ? [Math.min(...times), Math.max(...times)] : undefined
}

/** The time that a written period, or a time as it is, begins. */
export function beginningOf(name: string, cell: Cell): number | undefined {
  if (typeof cell !== 'string') return undefined
  return grainOf(name) === 'hour' ? readMs(cell) : span(cell)[0]
}
