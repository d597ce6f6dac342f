import { filterLeaves, type FilterLeaf, type FilterNode } from '../../src/project/filter-shape.js'
import { holds, rowSubject, type Subject } from './naive-filters.js'
import type { Accumulation, Input } from './naive-metrics.js'
import {
  cellOf,
  isCube,
  lookUp,
  reach,
  type Seen,
  type Setting,
  timeOf,
  Unanswerable,
} from './naive-rows.js'
import { axisOf, isOnAxis, seenFromSpine, spineFor, spineTimes } from './naive-timed.js'
import { plus } from './naive-time.js'
import { AGGREGATES, type Cell, compareCells, type CubeName, MODEL } from './shop.js'

export interface Term {
  readonly field: string
  readonly direction: 'asc' | 'desc'
}

/** The body of a question, with the parts that occur at random. */
export interface AskedQuestion {
  readonly metrics: readonly string[]
  readonly dimensions: readonly string[]
  readonly filters: readonly FilterNode[]
  readonly segments: readonly string[]
  readonly order_by: readonly Term[]
  readonly limit: number
  readonly offset: number
  readonly timezone: string
  readonly totals: boolean
  readonly fill?: boolean
  readonly time_range?:
    { readonly dimension: string; readonly start: string; readonly end: string } | undefined
}

export interface Context extends Setting {
  /** The metric of the key that a row has. */
  readonly keyed: (leaf: FilterLeaf, seen: Seen) => Cell
  readonly asked: AskedQuestion
  readonly rowFilters: readonly FilterNode[]
  readonly groupFilters: readonly FilterNode[]
}

export function cubeName(name: string): CubeName {
  if (isCube(name)) return name
  throw new Unanswerable(`there is no cube ${name}`)
}

export function timeOfInput({ cube, measure, conversion }: Input): string | undefined {
  return conversion ? MODEL[cube].time : (measure.time ?? MODEL[cube].time)
}

export interface SeenGroup {
  readonly cells: readonly Cell[]
  readonly seen: Seen[]
}

/** A group with what the input is in it. */
interface InputGroup extends SeenGroup {
  readonly value: Cell
}

/** What an input is in each group that it has. */
export function ofInput(context: Context, input: Input): InputGroup[] {
  const { dimensions } = context.asked
  checkReachable(context, input)
  const axis = axisOf(dimensions, input)
  if (axis && isTimed(input)) return timed(context, input, axis)
  if (!axis && needsTime(input)) throw new Unanswerable('needs a time among the dimensions')
  const groups = valued(input, grouped(context, seenRows(context, input), dimensions))
  if (axis && input.isOnSpine) return onSpine(context, input, { axis, groups })
  return dimensions.length > 0 || groups.length > 0
    ? groups
    : [{ cells: [], seen: [], value: aggregated(input, []) }]
}

function isTimed({ accumulation, shifts }: Input): boolean {
  return shifts.length > 0 || accumulation !== undefined
}

/** An accumulation of all time is, without a time, that of all rows. */
function needsTime(input: Input): boolean {
  const { window, toDate } = input.accumulation ?? {}
  return input.shifts.length > 0 || window !== undefined || toDate !== undefined
}

function valued(input: Input, groups: readonly SeenGroup[]): InputGroup[] {
  return groups.map((group) => ({ ...group, value: aggregated(input, group.seen) }))
}

type Axis = NonNullable<ReturnType<typeof axisOf>>

/** Seen from each time of a spine; of longer periods the first, last or average of those. */
function timed(context: Context, input: Input, axis: Axis): InputGroup[] {
  const all = rowsOf(context, input)
  const isShown = (moment: number): boolean => inRange(context, input, moment)
  const { seen, spine } = seenFromSpine(context, all, input, { axis, isShown })
  const counted = seen.filter((each) => isCounted(context, input, each))
  const { dimensions } = context.asked
  const { accumulation } = input
  if (!accumulation || axis.asked.includes(spine)) {
    return valued(input, grouped(context, counted, dimensions))
  }
  return grouped(context, counted, dimensions).map(({ cells, seen: own }) => {
    const times = [...new Set(own.map(({ at }) => at))].sort((a, b) => Number(a) - Number(b))
    const values = times.map((at) =>
      aggregated(
        input,
        own.filter((each) => each.at === at),
      ),
    )
    return { cells, seen: own, value: ofPeriod(values, accumulation.ofPeriod) }
  })
}

function ofPeriod(values: readonly Cell[], which: Accumulation['ofPeriod']): Cell {
  if (which === 'average') return AGGREGATES.avg(values.filter((value) => value !== null))
  return values.at(which === 'first' ? 0 : -1) ?? null
}

/** Whether the question's range shows a moment of the time axis. */
function inRange({ asked }: Context, { cube, ...input }: Input, moment: number): boolean {
  const [range] = rangeOf(asked)
  const time = timeOfInput({ cube, ...input })
  if (!range || !lookUp(range.dimension, cube, time).isAxis) return true
  return holds(range, () => ({ ms: moment }))
}

/** The question's range as a filter. */
export function rangeOf({
  time_range: range,
}: AskedQuestion): (FilterLeaf & { dimension: string })[] {
  if (!range) return []
  const { dimension, start, end } = range
  return [{ dimension, operator: 'between', value: [start, end] }]
}

/** Every period, with the groups that the rows make in it; filters on what is asked for hold again. */
function onSpine(
  context: Context,
  input: Input,
  { axis, groups }: { readonly axis: Axis; readonly groups: readonly InputGroup[] },
): InputGroup[] {
  const { dimensions } = context.asked
  const time = timeOfInput(input)
  const filters = [...context.rowFilters, ...input.filters]
  const onAxis = filters.filter((node) => isOnAxis(node, input, time))
  const empty = spineTimes(spineFor(axis.needed))
    .map((at): Seen => ({ cube: input.cube, row: {}, time, at }))
    .filter((seen) => satisfies(context, seen, onAxis))
  const own = dimensions.map((name) => lookUp(name, input.cube, time).isAxis)
  const periodOf = ({ cells }: SeenGroup): string =>
    JSON.stringify(cells.filter((_, index) => own[index]))
  const onGroups = filters.filter((node) =>
    filterLeaves([node]).every(({ dimension }) => dimensions.includes(dimension ?? '')),
  )
  return grouped(context, empty, dimensions).flatMap((period) => {
    const met = groups.filter((group) => periodOf(group) === periodOf(period))
    const shown: InputGroup[] = met.length > 0 ? met : [{ ...period, value: null }]
    return shown
      .filter(({ seen: [first] }) => first && satisfies(context, first, onGroups))
      .map((group) => {
        return met.length > 0 ? group : { ...group, seen: [] }
      })
  })
}

/** Names must be known for every fact, whether it has rows or not. */
function checkReachable({ asked, rowFilters }: Context, input: Input): void {
  const filtered = dimensionsOf(rowFilters)
  const segments = asked.segments.map((name) => anyDimension(name.split('.')[0] ?? ''))
  for (const name of [...asked.dimensions, ...filtered, ...segments]) {
    lookUp(name, input.cube, timeOfInput(input))
  }
}

/** What filters on rows compare, keys of metrics among it. */
export function dimensionsOf(filters: readonly FilterNode[]): string[] {
  return filterLeaves(filters).flatMap(({ dimension, per = [] }) => [
    ...(dimension === undefined ? [] : [dimension]),
    ...per.map((key) => key.dimension),
  ])
}

/** All rows of an input's cube. */
function rowsOf({ shop }: Setting, input: Input): Seen[] {
  const { cube } = input
  return shop[cube].map((row): Seen => ({ cube, row, time: timeOfInput(input) }))
}

/** The rows that count for an input, each with its place in the answer. */
function seenRows(context: Context, input: Input): Seen[] {
  const { measure, filters } = input
  const seen = rowsOf(context, input).filter((each) =>
    passes(context, each, [...context.rowFilters, ...filters]),
  )
  if (input.conversion) return credited(context, input, seen)
  return measure.edge ? atEdge(context, seen, measure.edge) : seen
}

function isCounted(context: Context, { measure, filters }: Input, seen: Seen): boolean {
  const isOwn = measure.filter?.(seen.row) ?? true
  return isOwn && passes(context, seen, [...context.rowFilters, ...filters])
}

/** Whether a row is in the segments of the question and passes filters. */
export function passes(context: Context, seen: Seen, filters: readonly FilterNode[]): boolean {
  const inSegments = context.asked.segments.every((name) => {
    const [cube = '', segment = ''] = name.split('.')
    const { path } = lookUp(anyDimension(cube), seen.cube, seen.time)
    return MODEL[cubeName(cube)].segments?.[segment]?.(reach(context.shop, seen, path))
  })
  return inSegments && satisfies(context, seen, filters)
}

function satisfies(context: Context, seen: Seen, filters: readonly FilterNode[]): boolean {
  const find = (leaf: FilterLeaf): Subject =>
    leaf.per ? { cell: context.keyed(leaf, seen) } : rowSubject(context, seen, leaf.dimension ?? '')
  return filters.every((node) => holds(node, find))
}

export function anyDimension(cube: string): string {
  return `${cube}.${Object.keys(MODEL[cubeName(cube)].dimensions)[0] ?? ''}`
}

export function grouped(
  setting: Setting,
  seen: readonly Seen[],
  names: readonly string[],
): SeenGroup[] {
  const groups = new Map<string, SeenGroup>()
  for (const each of seen) {
    const cells = names.map((name) => cellOf(setting, each, lookUp(name, each.cube, each.time)))
    const key = JSON.stringify(cells)
    const group = groups.get(key) ?? { cells, seen: [] }
    groups.set(key, group)
    group.seen.push(each)
  }
  return [...groups.values()]
}

function aggregated({ measure }: Input, seen: readonly Seen[]): Cell {
  const rows = seen.map(({ row, credited: other }) => other ?? row)
  const counted = rows.filter((row) => measure.filter?.(row) ?? true)
  const values = counted.map((row) => (measure.value ? measure.value(row) : true))
  return AGGREGATES[measure.aggregate](values.filter((value) => value !== null))
}

/** The metrics of rows that are in several groups of the answer. */
export function totalOf(context: Context, input: Input, seen: readonly Seen[]): Cell {
  if (input.accumulation && axisOf(context.asked.dimensions, input)) {
    throw new Unanswerable('what accumulates has no total')
  }
  const { edge } = input.measure
  const asked = { ...context.asked, dimensions: [] }
  return aggregated(input, edge ? atEdge({ ...context, asked }, seen, edge) : seen)
}

/** The rows at the first or last time of each asked period, and of each group of `by` in it. */
function atEdge(
  context: Context,
  seen: readonly Seen[],
  { time, choice, by }: NonNullable<Input['measure']['edge']>,
): Seen[] {
  const at = (each: Seen): number | undefined =>
    timeOf(context, each, lookUp(`${each.cube}.${time}`, each.cube, time))
  const key = (each: Seen): string => {
    const named = context.asked.dimensions.map((name) => lookUp(name, each.cube, each.time))
    const periods = named.filter(({ path, column }) => path.length === 0 && column === time)
    const cells = periods.map((name) => cellOf(context, each, name))
    return JSON.stringify([...cells, ...by.map((name) => each.row[name] ?? null)])
  }
  const timedRows = seen.filter((each) => at(each) !== undefined)
  return timedRows.filter((each) => {
    const own = timedRows
      .filter((other) => key(other) === key(each))
      .map((other) => at(other) ?? NaN)
    return at(each) === (choice === 'last' ? Math.max(...own) : Math.min(...own))
  })
}

/** Each row of the conversion with the latest row before it of the same entity; of several at once, of the first group. */
function credited(context: Context, input: Input, bases: readonly Seen[]): Seen[] {
  const { conversion } = input
  if (!conversion) return []
  const { cube, entity, window } = conversion
  const at = (seen: Seen): number =>
    timeOf(context, seen, lookUp(`${seen.cube}.${seen.time ?? ''}`, seen.cube, seen.time)) ?? NaN
  const cells = (seen: Seen): readonly Cell[] =>
    grouped(context, [seen], context.asked.dimensions)[0]?.cells ?? []
  return context.shop[cube].flatMap((row) => {
    const after = at({ cube, row, time: MODEL[cube].time })
    const [latest] = bases
      .filter((base) => {
        const isSame = row[entity] !== null && base.row[entity] === row[entity]
        const isInside = !window || at(base) > plus(after, -window[0], window[1])
        return isSame && at(base) <= after && isInside
      })
      .sort((a, b) => at(b) - at(a) || compareLists(cells(a), cells(b)))
    return latest ? [{ ...latest, credited: row }] : []
  })
}

function compareLists(a: readonly Cell[], b: readonly Cell[]): number {
  const index = a.findIndex((cell, at) => cell !== b[at])
  const [one, other] = [a[index] ?? null, b[index] ?? null]
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1
  return compareCells(one, other)
}
