import { filterLeaves, type FilterLeaf, type FilterNode } from '../../src/project/filter-shape.js'
import { holds, rowSubject, type Subject } from './naive-filters.js'
import { type Input, metricModel } from './naive-metrics.js'
import {
  cellOf,
  isCube,
  lookUp,
  reach,
  rowsAt,
  type Seen,
  type Setting,
  timeOf,
  Unanswerable,
} from './naive-rows.js'
import {
  AGGREGATES,
  type Cell,
  compareCells,
  type CubeName,
  MODEL,
  type Row,
  type Shop,
} from './shop.js'

interface Term {
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
}

export interface NaiveAnswer {
  readonly data: readonly Row[]
  readonly total_rows: number
  readonly totals: Row | undefined
}

/** A group of the answer: its dimensions, what each input is in it, and the rows that are in it. */
interface Group extends SeenGroup {
  readonly values: Map<string, Cell>
}

interface Context extends Setting {
  readonly asked: AskedQuestion
  readonly rowFilters: readonly FilterNode[]
  readonly groupFilters: readonly FilterNode[]
}

/**
 * Answers a question row by row, as its documentation reads, with no thought for speed.
 * @throws Unanswerable when the service must refuse it
 */
export function naiveAnswer(shop: Shop, asked: AskedQuestion): NaiveAnswer {
  const ofGroups = (node: FilterNode): boolean =>
    filterLeaves([node]).some(({ metric, per }) => metric !== undefined && !per)
  const context: Context = {
    shop,
    zone: asked.timezone,
    asked,
    rowFilters: asked.filters.filter((node) => !ofGroups(node)),
    groupFilters: asked.filters.filter(ofGroups),
  }
  const groups = passing(context, groupsOf(context))
  const data = ordered(context, groups).map((group) => rowOf(context, group))
  const { offset, limit } = asked
  return {
    data: data.slice(offset, offset + limit),
    total_rows: data.length,
    totals: asked.totals ? totalsOf(context, groups) : undefined,
  }
}

function groupsOf(context: Context): Group[] {
  const { asked } = context
  if (asked.metrics.length === 0) return valuesOf(context)
  const ordering = asked.order_by.flatMap(({ field }) => (isMetric(field) ? [field] : []))
  const filtering = filterLeaves(context.groupFilters).flatMap(({ metric }) => metric ?? [])
  const names = [...asked.metrics, ...filtering, ...ordering]
  const groups = new Map<string, Group>()
  for (const input of names.flatMap((name) => metricModel(name).inputs)) {
    for (const { cells, seen } of ofInput(context, input)) {
      const key = JSON.stringify(cells)
      const group: Group = groups.get(key) ?? { cells, values: new Map(), seen: [] }
      groups.set(key, group)
      group.values.set(input.key, aggregated(input, seen))
      group.seen.push(...seen)
    }
  }
  return [...groups.values()]
}

function isMetric(name: string): boolean {
  const [cube = '', member = '', ...others] = name.split('.')
  if (cube === 'metric_time') return false
  if (member === '') return true
  return others.length === 0 && MODEL[cubeName(cube)].dimensions[member] === undefined
}

function cubeName(name: string): CubeName {
  if (isCube(name)) return name
  throw new Unanswerable(`there is no cube ${name}`)
}

/** The rows that count for an input, each with its place in the answer. */
function seenRows(context: Context, { cube, measure, filters }: Input): Seen[] {
  const time = measure.time ?? MODEL[cube].time
  const seen = context.shop[cube]
    .map((row): Seen => ({ cube, row, time }))
    .filter((each) => passes(context, each, [...context.rowFilters, ...filters]))
  return measure.edge ? atEdge(context, seen, measure.edge) : seen
}

function passes(context: Context, seen: Seen, filters: readonly FilterNode[]): boolean {
  const find = (leaf: FilterLeaf): Subject => rowSubject(context, seen, leaf.dimension ?? '')
  const inSegments = context.asked.segments.every((name) => {
    const [cube = '', segment = ''] = name.split('.')
    const { path } = lookUp(anyDimension(cube), seen.cube, seen.time)
    return MODEL[cubeName(cube)].segments?.[segment]?.(reach(context.shop, seen, path))
  })
  return inSegments && filters.every((node) => holds(node, find))
}

function anyDimension(cube: string): string {
  return `${cube}.${Object.keys(MODEL[cubeName(cube)].dimensions)[0] ?? ''}`
}

function ofInput(context: Context, input: Input): SeenGroup[] {
  const { dimensions } = context.asked
  checkReachable(context, input)
  const groups = grouped(context, seenRows(context, input), dimensions)
  return dimensions.length > 0 || groups.length > 0 ? groups : [{ cells: [], seen: [] }]
}

/** Names must be known for every fact, whether it has rows or not. */
function checkReachable({ asked, rowFilters }: Context, { cube, measure }: Input): void {
  const time = measure.time ?? MODEL[cube].time
  const filtered = filterLeaves(rowFilters).flatMap(({ dimension }) => dimension ?? [])
  const segments = asked.segments.map((name) => anyDimension(name.split('.')[0] ?? ''))
  for (const name of [...asked.dimensions, ...filtered, ...segments]) lookUp(name, cube, time)
}

interface SeenGroup {
  readonly cells: readonly Cell[]
  readonly seen: Seen[]
}

function grouped(setting: Setting, seen: readonly Seen[], names: readonly string[]): SeenGroup[] {
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
  const rows = seen.map(({ row }) => row).filter((row) => measure.filter?.(row) ?? true)
  const values = rows.map((row) => (measure.value ? measure.value(row) : true))
  return AGGREGATES[measure.aggregate](values.filter((value) => value !== null))
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
  const timed = seen.filter((each) => at(each) !== undefined)
  return timed.filter((each) => {
    const times = timed.filter((other) => key(other) === key(each)).map((other) => at(other) ?? NaN)
    return at(each) === (choice === 'last' ? Math.max(...times) : Math.min(...times))
  })
}

function valueOf({ values }: Group, name: string): Cell {
  const { inputs, compute } = metricModel(name)
  return compute(inputs.map(({ key }) => values.get(key) ?? null))
}

function passing(context: Context, groups: readonly Group[]): Group[] {
  const { dimensions } = context.asked
  return groups.filter((group) =>
    context.groupFilters.every((node) =>
      holds(node, ({ metric, dimension = '' }) => ({
        cell:
          metric === undefined
            ? (group.cells[dimensions.indexOf(dimension)] ?? null)
            : valueOf(group, metric),
      })),
    ),
  )
}

/** By the terms of the question, then by all dimensions; nulls come last. */
function ordered(context: Context, groups: readonly Group[]): Group[] {
  const { order_by: terms, dimensions } = context.asked
  const all = [...terms, ...dimensions.map((field) => ({ field, direction: 'asc' as const }))]
  return [...groups].sort((a, b) => {
    for (const term of all) {
      const [one, other] = [orderCell(context, a, term), orderCell(context, b, term)]
      if (one === other) continue
      if (one === null || other === null) return one === null ? 1 : -1
      return term.direction === 'asc' ? compareCells(one, other) : compareCells(other, one)
    }
    return 0
  })
}

/** Of a dimension that is not asked for, the least of the group's rows; the greatest where the greatest come first. */
function orderCell(context: Context, group: Group, { field, direction }: Term): Cell {
  const index = context.asked.dimensions.indexOf(field)
  if (index >= 0) return group.cells[index] ?? null
  if (isMetric(field)) return valueOf(group, field)
  const cells = group.seen.map((each) => cellOf(context, each, lookUp(field, each.cube, each.time)))
  return AGGREGATES[direction === 'asc' ? 'min' : 'max'](cells.filter((cell) => cell !== null))
}

function rowOf({ asked }: Context, group: Group): Row {
  return Object.fromEntries([
    ...asked.dimensions.map((name, index) => [name, group.cells[index] ?? null] as const),
    ...asked.metrics.map((name) => [name, valueOf(group, name)] as const),
  ])
}

/** The metrics of the rows of all groups that the answer has, whatever its limit. */
function totalsOf(context: Context, groups: readonly Group[]): Row {
  const keys = new Set(groups.map(({ cells }) => JSON.stringify(cells)))
  const { asked } = context
  return Object.fromEntries(
    asked.metrics.map((name) => {
      const { inputs, compute } = metricModel(name)
      const values = inputs.map((input) => {
        const own = grouped(context, seenRows(context, input), asked.dimensions)
        const seen = own
          .filter(({ cells }) => keys.has(JSON.stringify(cells)))
          .flatMap((each) => each.seen)
        return aggregated(
          input,
          input.measure.edge
            ? atEdge({ ...context, asked: { ...asked, dimensions: [] } }, seen, input.measure.edge)
            : seen,
        )
      })
      return [name, compute(values)]
    }),
  )
}

/** Values of dimensions alone, also of rows without a partner in the other cubes. */
function valuesOf(context: Context): Group[] {
  const { asked, shop } = context
  const filtered = filterLeaves(context.rowFilters).flatMap(({ dimension }) => dimension ?? [])
  const names = [...asked.dimensions, ...filtered]
  const starts = [...new Set(names.map((name) => cubeName(name.split('.')[0] ?? '')))]
  const base = starts.find((cube) => names.every((name) => isReachable(name, cube)))
  if (!base) throw new Unanswerable('no cube has all of them')
  const inSegments = asked.segments.map((name) => anyDimension(name.split('.')[0] ?? ''))
  const seen = shop[base].map((row): Seen => ({ cube: base, row, time: MODEL[base].time }))
  for (const path of pathsTo([...names, ...inSegments], base)) {
    const met = new Set(seen.map((each) => reach(shop, each, path)))
    const lonely = rowsAt(shop, base, path).filter((row) => !met.has(row))
    seen.push(
      ...lonely.map((row) => ({ cube: base, row: {}, time: undefined, lonely: { path, row } })),
    )
  }
  const counted = seen.filter((each) => passes(context, each, context.rowFilters))
  return grouped(context, counted, asked.dimensions).map((each) => ({ ...each, values: new Map() }))
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
