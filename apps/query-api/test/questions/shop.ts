/** What a column of a row, or of an answer, holds. Times are written as ISO texts without offset; those with an offset are in UTC. */
export type Cell = string | number | boolean | null

export type Row = Readonly<Record<string, Cell>>

export type CubeName =
  'countries' | 'customers' | 'orders' | 'big_orders' | 'items' | 'tickets' | 'balances' | 'tiers'

/** The rows of each cube, which are the rows of the table of its name; those of `big_orders` come from `orders`. */
export type Shop = Readonly<Record<CubeName, readonly Row[]>>

export type DimensionKind = 'string' | 'number' | 'boolean' | 'time' | 'instant'

/** A measure by what it makes of one row, and of the values of many. */
export interface MeasureModel {
  readonly aggregate: keyof typeof AGGREGATES
  readonly value?: (row: Row) => Cell
  readonly filter?: (row: Row) => boolean
  /** The time that puts it on the time axis, if not the cube's. */
  readonly time?: string
  /** Only rows at the first or last time of each period, and of each group of `by`. */
  readonly edge?: {
    readonly time: string
    readonly choice: 'first' | 'last'
    readonly by: readonly string[]
  }
}

export interface JoinModel {
  readonly column: string
  /** The cube in which the column is the `id`, or a history that has several rows of the same column. */
  readonly to: CubeName
  readonly isHistory?: boolean
}

export interface CubeModel {
  /** By name. */
  readonly joins: Readonly<Record<string, JoinModel>>
  readonly dimensions: Readonly<Record<string, DimensionKind>>
  readonly segments?: Readonly<Record<string, (row: Row) => boolean>>
  readonly time?: string
  readonly measures: Readonly<Record<string, MeasureModel>>
}

const column =
  (name: string) =>
  (row: Row): Cell =>
    row[name] ?? null

/** Null where either side is. */
function times(a: Cell | undefined, b: Cell | undefined): Cell {
  return typeof a === 'number' && typeof b === 'number' ? a * b : null
}

const revenue = (row: Row): Cell => times(row['price'], row['quantity'])
const isGift = (row: Row): boolean => row['is_gift'] === true

const ORDERS: CubeModel = {
  joins: {
    customers: { column: 'customer_id', to: 'customers' },
    shipping: { column: 'ship_to', to: 'countries' },
    tiers: { column: 'customer_id', to: 'tiers', isHistory: true },
  },
  dimensions: {
    id: 'number',
    customer_id: 'number',
    region: 'string',
    is_gift: 'boolean',
    quantity: 'number',
    ordered_on: 'time',
    shipped_on: 'time',
  },
  segments: { large: (row) => typeof row['quantity'] === 'number' && row['quantity'] > 2 },
  time: 'ordered_on',
  measures: {
    count: { aggregate: 'count' },
    priced: { aggregate: 'count', value: column('price') },
    revenue: { aggregate: 'sum', value: revenue },
    average_price: { aggregate: 'avg', value: column('price') },
    least_price: { aggregate: 'min', value: column('price') },
    greatest_quantity: { aggregate: 'max', value: column('quantity') },
    first_region: { aggregate: 'min', value: column('region') },
    last_order: { aggregate: 'max', value: column('ordered_on') },
    buyers: { aggregate: 'countDistinct', value: column('customer_id') },
    median_price: { aggregate: 'median', value: column('price') },
    high_quantity: { aggregate: 'discrete75', value: column('quantity') },
    gifts: { aggregate: 'countTrue', value: column('is_gift') },
    gift_revenue: { aggregate: 'sum', value: revenue, filter: isGift },
    gift_count: { aggregate: 'count', filter: isGift },
    shipped: { aggregate: 'count', time: 'shipped_on' },
  },
}

/** The same shop as `shop-definitions.ts` says, in words of the evaluator. */
export const MODEL: Readonly<Record<CubeName, CubeModel>> = {
  countries: {
    joins: {},
    dimensions: { id: 'number', name: 'string', is_far: 'boolean' },
    measures: { count: { aggregate: 'count' } },
  },
  customers: {
    joins: { countries: { column: 'country_id', to: 'countries' } },
    dimensions: { id: 'number', segment: 'string', is_vip: 'boolean', credit: 'number' },
    segments: { vips: (row) => row['is_vip'] === true },
    measures: {
      count: { aggregate: 'count' },
      total_credit: { aggregate: 'sum', value: column('credit') },
    },
  },
  orders: ORDERS,
  big_orders: {
    ...ORDERS,
    measures: { ...ORDERS.measures, revenue: { aggregate: 'sum', value: column('price') } },
  },
  tiers: {
    joins: {},
    dimensions: { name: 'string' },
    measures: { count: { aggregate: 'count' } },
  },
  items: {
    joins: { orders: { column: 'order_id', to: 'orders' } },
    dimensions: { category: 'string', amount: 'number' },
    measures: {
      count: { aggregate: 'count' },
      total: { aggregate: 'sum', value: column('amount') },
    },
  },
  tickets: {
    joins: { customers: { column: 'customer_id', to: 'customers' } },
    dimensions: {
      topic: 'string',
      customer_id: 'number',
      minutes: 'number',
      opened_at: 'instant',
    },
    time: 'opened_at',
    measures: {
      count: { aggregate: 'count' },
      total_minutes: { aggregate: 'sum', value: column('minutes') },
      callers: { aggregate: 'countDistinct', value: column('customer_id') },
    },
  },
  balances: {
    joins: { customers: { column: 'customer_id', to: 'customers' } },
    dimensions: { account: 'string', day: 'time' },
    time: 'day',
    measures: {
      count: { aggregate: 'count' },
      closing: {
        aggregate: 'sum',
        value: column('amount'),
        edge: { time: 'day', choice: 'last', by: ['account'] },
      },
      opening: {
        aggregate: 'sum',
        value: column('amount'),
        edge: { time: 'day', choice: 'first', by: [] },
      },
    },
  },
}

export function compareCells(a: Cell, b: Cell): number {
  if (a === b) return 0
  return (a ?? '') < (b ?? '') ? -1 : 1
}

/** What the values of a group's rows, nulls left out, make together. */
export const AGGREGATES = {
  count: (values: readonly Cell[]): Cell => values.length,
  countDistinct: (values: readonly Cell[]): Cell => new Set(values).size,
  countTrue: (values: readonly Cell[]): Cell =>
    values.length === 0 ? null : values.filter((value) => value === true).length,
  sum: (values: readonly Cell[]): Cell => (values.length === 0 ? null : added(values)),
  avg: (values: readonly Cell[]): Cell =>
    values.length === 0 ? null : added(values) / values.length,
  min: (values: readonly Cell[]): Cell => [...values].sort(compareCells)[0] ?? null,
  max: (values: readonly Cell[]): Cell => [...values].sort(compareCells).at(-1) ?? null,
  median: (values: readonly Cell[]): Cell => {
    const sorted = values.map(Number).sort((a, b) => a - b)
    const middle = (sorted.length - 1) / 2
    const low = sorted[Math.floor(middle)]
    const high = sorted[Math.ceil(middle)]
    return low === undefined || high === undefined ? null : (low + high) / 2
  },
  discrete75: (values: readonly Cell[]): Cell => {
    const sorted = values.map(Number).sort((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(0.75 * sorted.length) - 1)] ?? null
  },
} as const

function added(values: readonly Cell[]): number {
  return values.reduce<number>((sum, value) => sum + Number(value), 0)
}
