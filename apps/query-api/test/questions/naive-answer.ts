import { filterLeaves, type FilterNode } from '../../src/project/filter-shape.js'
import { beginningOf, filledCells } from './naive-fill.js'
import { holds, type Subject } from './naive-filters.js'
import {
  anyDimension,
  type AskedQuestion,
  type Context,
  cubeName,
  grouped,
  ofInput,
  passes,
  rangeOf,
  type SeenGroup,
  type Term,
  totalOf,
} from './naive-inputs.js'
import { type Input, metricModel } from './naive-metrics.js'
import { cellOf, lookUp, reach, rowsAt, type Seen, Unanswerable } from './naive-rows.js'
import {
  AGGREGATES,
  type Cell,
  compareCells,
  type CubeName,
  MODEL,
  type Row,
  type Shop,
} from './shop.js'

export interface NaiveAnswer {
  readonly data: readonly Row[]
  readonly total_rows: number
  readonly totals: Row | undefined
}

/** A group of the answer: its dimensions, what each input is in it, and the rows that are in it. */
interface Group extends SeenGroup {
  readonly values: Map<string, Cell>
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
    rowFilters: [...asked.filters.filter((node) => !ofGroups(node)), ...rangeOf(asked)],
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
  const inputs = names.flatMap((name) => metricModel(name).inputs)
  for (const input of inputs) {
    for (const { cells, seen, value } of ofInput(context, input)) {
      const key = JSON.stringify(cells)
      const group: Group = groups.get(key) ?? { cells, values: new Map(), seen: [] }
      groups.set(key, group)
      group.values.set(input.key, value)
      group.seen.push(...seen)
    }
  }
  const found = [...groups.values()]
  return asked.fill ? withGaps(asked, found, inputs) : found
}

function withGaps(
  asked: AskedQuestion,
  groups: readonly Group[],
  inputs: readonly Input[],
): Group[] {
  const known = new Set(groups.map(({ cells }) => JSON.stringify(cells)))
  const added = filledCells(asked, groups, inputs).filter(
    (cells) => !known.has(JSON.stringify(cells)),
  )
  return [
    ...groups,
    ...added.map((cells) => ({ cells, seen: [], values: new Map<string, Cell>() })),
  ]
}

function isMetric(name: string): boolean {
  const [cube = '', member = '', ...others] = name.split('.')
  if (cube === 'metric_time') return false
  if (member === '') return true
  return others.length === 0 && MODEL[cubeName(cube)].dimensions[member] === undefined
}

/** Where gaps are filled, nothing to count or add is 0, unless the metric says what stands for null. */
function valueOf({ asked }: Context, { values }: Group, name: string): Cell {
  const { inputs, compute } = metricModel(name)
  return compute(inputs.map((input) => values.get(input.key) ?? nothing(asked, input)))
}

function nothing({ fill }: AskedQuestion, { hasFill, measure }: Input): Cell {
  return fill && !hasFill && ADDED.includes(measure.aggregate) ? 0 : null
}

const ADDED: readonly (keyof typeof AGGREGATES)[] = ['count', 'countDistinct', 'countTrue', 'sum']

function passing(context: Context, groups: readonly Group[]): Group[] {
  const { dimensions } = context.asked
  return groups.filter((group) =>
    context.groupFilters.every((node) =>
      holds(node, ({ metric, dimension = '' }): Subject => {
        if (metric !== undefined) return { cell: valueOf(context, group, metric) }
        const cell = group.cells[dimensions.indexOf(dimension)] ?? null
        return isTime(dimension) ? { ms: beginningOf(dimension, cell) } : { cell }
      }),
    ),
  )
}

function isTime(dimension: string): boolean {
  if (dimension.includes('.extract_')) return false
  const [cube = '', column = ''] = dimension.split('.')
  if (cube === 'metric_time') return true
  return ['time', 'instant'].includes(MODEL[cubeName(cube)].dimensions[column] ?? '')
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
  if (isMetric(field)) return valueOf(context, group, field)
  const cells = group.seen.map((each) => cellOf(context, each, lookUp(field, each.cube, each.time)))
  return AGGREGATES[direction === 'asc' ? 'min' : 'max'](cells.filter((cell) => cell !== null))
}

function rowOf(context: Context, group: Group): Row {
  const { asked } = context
  return Object.fromEntries([
    ...asked.dimensions.map((name, index) => [name, group.cells[index] ?? null] as const),
    ...asked.metrics.map((name) => [name, valueOf(context, group, name)] as const),
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
        const own = ofInput(context, input).filter(({ cells }) => keys.has(JSON.stringify(cells)))
        return (
          totalOf(
            context,
            input,
            own.flatMap(({ seen }) => seen),
          ) ?? nothing(asked, input)
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
