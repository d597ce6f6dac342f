import { filterLeaves, type FilterNode } from '../../src/project/filter-shape.js'
import { beginningOf, filledCells } from './naive-fill.js'
import { holds, type Subject } from './naive-filters.js'
import {
  type AskedQuestion,
  type Context,
  cubeName,
  ofInput,
  rangeOf,
  type SeenGroup,
  type Term,
  totalOf,
} from './naive-inputs.js'
import { type Input, metricModel } from './naive-metrics.js'
import { cellOf, lookUp } from './naive-rows.js'
import { valuesOf } from './naive-values.js'
import { AGGREGATES, type Cell, compareCells, MODEL, type Row, type Shop } from './shop.js'

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
    keyed: keyedIn(shop, asked.timezone),
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

/** Metrics per key, of all rows whatever the question filters; nothing where the key has no such group. */
function keyedIn(shop: Shop, zone: string): Context['keyed'] {
  const known = new Map<string, readonly Row[]>()
  return ({ metric = '', per = [] }, seen) => {
    const keys = per.map(({ matches }) => matches)
    const name = JSON.stringify([metric, keys])
    const rows =
      known.get(name) ??
      naiveAnswer(shop, { ...NOTHING, metrics: [metric], dimensions: keys, timezone: zone }).data
    known.set(name, rows)
    const own = per.map(({ dimension }) => {
      return cellOf({ shop, zone }, seen, lookUp(dimension, seen.cube, seen.time))
    })
    if (own.includes(null)) return null
    return rows.find((row) => keys.every((key, at) => row[key] === own[at]))?.[metric] ?? null
  }
}

const NOTHING: AskedQuestion = {
  metrics: [],
  dimensions: [],
  filters: [],
  segments: [],
  order_by: [],
  limit: Infinity,
  offset: 0,
  timezone: 'UTC',
  totals: false,
}

function groupsOf(context: Context): Group[] {
  const { asked } = context
  if (asked.metrics.length === 0) {
    return valuesOf(context).map((group) => ({ ...group, values: new Map<string, Cell>() }))
  }
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
