import type { FilterNode } from '../../src/project/filter-shape.js'
import { type Cell, type CubeName, MODEL, type MeasureModel } from './shop.js'
import { isCube, Unanswerable } from './naive-rows.js'

/** A measure with what the metrics above it say. */
export interface Input {
  readonly key: string
  readonly cube: CubeName
  readonly measure: MeasureModel
  readonly filters: readonly FilterNode[]
  /** Whether a metric says itself what stands for null. */
  readonly hasFill: boolean
}

export interface MetricModel {
  readonly inputs: readonly Input[]
  /** @param values one for each input */
  readonly compute: (values: readonly Cell[]) => Cell
}

function input(name: string, more: Partial<Input> = {}): Input {
  const [cube = '', measure = ''] = name.split('.')
  if (!isCube(cube)) throw new Unanswerable(`there is no ${name}`)
  const model = MODEL[cube].measures[measure]
  if (!model) throw new Unanswerable(`there is no ${name}`)
  const key = JSON.stringify([name, more])
  return { key, cube, measure: model, filters: [], hasFill: false, ...more }
}

/** Null where a part is. */
function arithmetic(compute: (...values: number[]) => Cell): (values: readonly Cell[]) => Cell {
  return (values) => (values.includes(null) ? null : compute(...values.map(Number)))
}

const first = ([value = null]: readonly Cell[]): Cell => value
const ratio = arithmetic((a = 0, b = 0) => (b === 0 ? null : a / b))

const isNorth = { dimension: 'orders.region', operator: 'equals', value: 'north' } as const
const isGift = { dimension: 'orders.is_gift', operator: 'equals', value: true } as const
const isNotVip = { dimension: 'customers.is_vip', operator: 'notEquals', value: true } as const

/** The metrics of `shop-definitions.ts`, in words of the evaluator. */
export const METRIC_MODELS: Readonly<Record<string, MetricModel>> = {
  revenue: { inputs: [input('orders.revenue')], compute: first },
  gift_share: {
    inputs: [input('orders.revenue', { filters: [isGift] }), input('orders.revenue')],
    compute: ratio,
  },
  north_orders: { inputs: [input('orders.count', { filters: [isNorth] })], compute: first },
  vip_buyers: {
    inputs: [input('orders.buyers', { filters: [{ not: isNotVip }] })],
    compute: first,
  },
  revenue_per_ticket: {
    inputs: [input('orders.revenue'), input('tickets.count')],
    compute: ratio,
  },
  activity: {
    inputs: [input('orders.count'), input('tickets.count'), input('items.count')],
    compute: arithmetic((orders = 0, tickets = 0, items = 0) => orders + 2 * tickets - items),
  },
  tickets_or_zero: {
    inputs: [input('tickets.count', { hasFill: true })],
    compute: ([tickets = null]) => tickets ?? 0,
  },
  north_or_zero: {
    inputs: [input('orders.count', { filters: [isNorth], hasFill: true })],
    compute: ([orders = null]) => (orders === null ? 7 : Number(orders) * 10),
  },
}

/** What a name of a metric or measure is computed from. */
export function metricModel(name: string): MetricModel {
  const metric = METRIC_MODELS[name]
  if (metric) return metric
  if (name === 'orders.revenue_per_order') {
    return { inputs: [input('orders.revenue'), input('orders.count')], compute: ratio }
  }
  return { inputs: [input(name)], compute: first }
}
