import type { FilterNode } from '../../src/project/filter-shape.js'
import { type Cell, type CubeName, MODEL, type MeasureModel } from './shop.js'
import { isCube, Unanswerable } from './naive-rows.js'
import type { Grain } from './naive-time.js'

export type Shift =
  { readonly back: number; readonly grain: Grain } | { readonly toStartOf: Grain } | 'prior'

export interface Accumulation {
  readonly window?: readonly [number, Grain]
  readonly toDate?: Grain
  readonly ofPeriod: 'first' | 'last' | 'average'
}

/** Rows of another cube, each credited to the latest row of the input's cube of the same entity before it. */
export interface Conversion {
  readonly cube: CubeName
  readonly entity: string
  readonly window: readonly [number, Grain] | undefined
}

/** A measure with what the metrics above it say. */
export interface Input {
  readonly key: string
  readonly cube: CubeName
  readonly measure: MeasureModel
  readonly filters: readonly FilterNode[]
  /** From where on the time axis the value is taken; outermost first. */
  readonly shifts: readonly Shift[]
  readonly accumulation: Accumulation | undefined
  readonly isOnSpine: boolean
  readonly conversion: Conversion | undefined
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
  return {
    key,
    cube,
    measure: model,
    filters: [],
    shifts: [],
    accumulation: undefined,
    isOnSpine: false,
    conversion: undefined,
    hasFill: false,
    ...more,
  }
}

/** Null where a part is. */
function arithmetic(compute: (...values: number[]) => Cell): (values: readonly Cell[]) => Cell {
  return (values) => (values.includes(null) ? null : compute(...values.map(Number)))
}

const first = ([value = null]: readonly Cell[]): Cell => value
const difference = arithmetic((a = 0, b = 0) => a - b)
const ratio = arithmetic((a = 0, b = 0) => (b === 0 ? null : a / b))

const isNorth = { dimension: 'orders.region', operator: 'equals', value: 'north' } as const
const isGift = { dimension: 'orders.is_gift', operator: 'equals', value: true } as const
const weekAgo = { back: 7, grain: 'day' } as const
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
  revenue_so_far: alone('orders.revenue', { accumulation: { ofPeriod: 'last' } }),
  buyers_of_7_days: alone('orders.buyers', {
    accumulation: { window: [7, 'day'], ofPeriod: 'first' },
  }),
  gifts_this_month: alone('orders.gift_count', {
    accumulation: { toDate: 'month', ofPeriod: 'average' },
  }),
  tickets_of_30_hours: alone('tickets.count', {
    accumulation: { window: [30, 'hour'], ofPeriod: 'last' },
  }),
  revenue_a_week_ago: alone('orders.revenue', { shifts: [weekAgo] }),
  north_a_month_ago: alone('orders.count', {
    filters: [isNorth],
    shifts: [{ back: 1, grain: 'month' }],
  }),
  orders_at_start: {
    inputs: [input('orders.count'), input('orders.count', { shifts: [{ toStartOf: 'month' }] })],
    compute: difference,
  },
  tickets_6_hours_ago: alone('tickets.count', { shifts: [{ back: 6, grain: 'hour' }] }),
  growth: {
    inputs: [input('orders.revenue'), input('orders.revenue', { shifts: ['prior'] })],
    compute: difference,
  },
  ten_days_ago: {
    inputs: [input('orders.revenue', { shifts: [{ back: 3, grain: 'day' }, weekAgo] })],
    compute: arithmetic((before = 0) => before * 2),
  },
  so_far_a_week_ago: alone('orders.revenue', {
    shifts: [{ back: 1, grain: 'week' }],
    accumulation: { ofPeriod: 'last' },
  }),
  orders_every_day: {
    inputs: [input('orders.count', { isOnSpine: true, hasFill: true })],
    compute: ([orders = null]) => orders ?? 0,
  },
  north_every_day: alone('orders.revenue', { isOnSpine: true, filters: [isNorth] }),
  orders_after_tickets: alone('tickets.count', {
    measure: MODEL.orders.measures['count'] ?? { aggregate: 'count' },
    conversion: { cube: 'orders', entity: 'customer_id', window: [10, 'day'] },
  }),
  conversion_rate: {
    inputs: [
      input('tickets.count', {
        measure: MODEL.orders.measures['revenue'] ?? { aggregate: 'count' },
        conversion: { cube: 'orders', entity: 'customer_id', window: undefined },
      }),
      input('tickets.count'),
    ],
    compute: ratio,
  },
}

function alone(measure: string, more: Partial<Input>): MetricModel {
  return { inputs: [input(measure, more)], compute: first }
}

/** What a name of a metric or measure is computed from. */
export function metricModel(name: string): MetricModel {
  const metric = METRIC_MODELS[name]
  if (metric) return metric
  const [cube = '', measure] = name.split('.')
  if (measure === 'revenue_per_order') {
    return { inputs: [input(`${cube}.revenue`), input(`${cube}.count`)], compute: ratio }
  }
  return { inputs: [input(name)], compute: first }
}
