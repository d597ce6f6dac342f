import { filterLeaves, type FilterNode } from '../../src/project/filter-shape.js'
import { holds, rowSubject, type Subject } from './naive-filters.js'
import {
  anyDimension,
  type Context,
  cubeName,
  dimensionsOf,
  grouped,
  passes,
  type SeenGroup,
} from './naive-inputs.js'
import { cellOf, lookUp, reach, rowsAt, type Seen, Unanswerable } from './naive-rows.js'
import { spineTimes } from './naive-timed.js'
import { type Cell, type CubeName, MODEL } from './shop.js'

/** Values of dimensions alone, each with every period beside the time axis if that is asked for. */
export function valuesOf(context: Context): SeenGroup[] {
  const { dimensions } = context.asked
  const onAxis = context.rowFilters.filter(namesAxis)
  const periods = dimensions.filter(isPeriod)
  if (onAxis.length > 0 && (periods.length === 0 || !onAxis.every(isOnAxis))) {
    throw new Unanswerable('there is no time axis')
  }
  const values = rowsOfValues(context)
  if (periods.length === 0) return grouped(context, values ?? [], dimensions)
  const pairs = (values ?? [undefined]).flatMap((seen): Pair[] => {
    return seen?.lonely ? [{ seen }] : spineTimes('day').map((at) => ({ seen, at }))
  })
  const groups = pairs
    .filter(({ at }) =>
      onAxis.every((node) =>
        holds(node, (leaf) => periodSubject(context, leaf.dimension ?? '', at)),
      ),
    )
    .map((pair) => dimensions.map((name) => cellOfPair(context, pair, name)))
  const distinct = new Map(groups.map((cells) => [JSON.stringify(cells), cells]))
  return [...distinct.values()].map((cells) => ({ cells, seen: [] }))
}

/** A row with a period; what has no partner has none. */
interface Pair {
  readonly seen?: Seen | undefined
  readonly at?: number
}

function cellOfPair(context: Context, { seen, at }: Pair, name: string): Cell {
  if (isPeriod(name)) return at === undefined ? null : periodCell(context, name, at)
  return seen ? cellOf(context, seen, lookUp(name, seen.cube, seen.time)) : null
}

function isPeriod(name: string): boolean {
  return name.startsWith('metric_time')
}

function namesAxis(node: FilterNode): boolean {
  return filterLeaves([node]).some(({ dimension = '' }) => isPeriod(dimension))
}

function isOnAxis(node: FilterNode): boolean {
  return filterLeaves([node]).every(({ dimension = '' }) => isPeriod(dimension))
}

/** Any cube with a time will do: only the period counts. */
function seenAt(at: number | undefined): Seen {
  return { cube: 'orders', row: {}, time: 'ordered_on', at }
}

function periodCell(context: Context, name: string, at: number): Cell {
  return cellOf(context, seenAt(at), lookUp(name, 'orders', 'ordered_on'))
}

function periodSubject(context: Context, name: string, at: number | undefined): Subject {
  return rowSubject(context, seenAt(at), name)
}

/** The rows of the cube that has them all, and those without a partner in it; `undefined` where no cube is named. */
function rowsOfValues(context: Context): Seen[] | undefined {
  const { asked, shop } = context
  const rowFilters = context.rowFilters.filter((node) => !namesAxis(node))
  const inSegments = asked.segments.map((name) => anyDimension(name.split('.')[0] ?? ''))
  const named = [...asked.dimensions, ...dimensionsOf(rowFilters)].filter((name) => !isPeriod(name))
  const names = named.length > 0 ? named : inSegments
  if (names.length === 0) return undefined
  const starts = [...new Set(names.map((name) => cubeName(name.split('.')[0] ?? '')))]
  const base = starts.find((cube) => names.every((name) => isReachable(name, cube)))
  if (!base) throw new Unanswerable('no cube has all of them')
  const seen = shop[base].map((row): Seen => ({ cube: base, row, time: MODEL[base].time }))
  for (const path of pathsTo([...names, ...inSegments], base)) {
    const met = new Set(seen.map((each) => reach(shop, each, path)))
    const lonely = rowsAt(shop, base, path).filter((row) => !met.has(row))
    seen.push(
      ...lonely.map((row) => ({ cube: base, row: {}, time: undefined, lonely: { path, row } })),
    )
  }
  return seen.filter((each) => passes(context, each, rowFilters))
}

/** Every path of joins that names need, shorter ones first. */
function pathsTo(names: readonly string[], base: CubeName): (readonly string[])[] {
  const paths = new Map<string, readonly string[]>()
  for (const name of names) {
    const { path } = lookUp(name, base, MODEL[base].time)
    for (let hops = 1; hops <= path.length; hops++) {
      paths.set(path.slice(0, hops).join(), path.slice(0, hops))
    }
  }
  return [...paths.values()].sort((a, b) => a.length - b.length)
}

function isReachable(name: string, cube: CubeName): boolean {
  try {
    lookUp(name, cube, MODEL[cube].time)
    return true
  } catch {
    return false
  }
}
