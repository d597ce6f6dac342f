import fc from 'fast-check'
import type { FilterLeaf, FilterNode, Operator, Scalar } from '../../src/project/filter-shape.js'
import type { AskedQuestion } from './naive-inputs.js'
import { span } from './naive-time.js'

/** Metrics that need a time among the dimensions. */
const OVER_TIME: Readonly<Partial<Record<Fact, readonly string[]>>> = {
  orders: [
    'revenue_so_far',
    'buyers_of_7_days',
    'gifts_this_month',
    'revenue_a_week_ago',
    'north_a_month_ago',
    'orders_at_start',
    'growth',
    'ten_days_ago',
    'so_far_a_week_ago',
    'orders_every_day',
    'north_every_day',
  ],
  tickets: [
    'tickets_of_30_hours',
    'tickets_6_hours_ago',
    'orders_after_tickets',
    'conversion_rate',
  ],
}

type Fact =
  'orders' | 'big_orders' | 'items' | 'tickets' | 'balances' | 'customers' | 'countries' | 'several'

/** Metrics by the fact that has all their dimensions; questions mix facts that share some. */
const METRICS: Readonly<Record<Fact, readonly string[]>> = {
  orders: [
    'orders.count',
    'orders.priced',
    'orders.revenue',
    'orders.average_price',
    'orders.least_price',
    'orders.greatest_quantity',
    'orders.first_region',
    'orders.last_order',
    'orders.buyers',
    'orders.median_price',
    'orders.high_quantity',
    'orders.gifts',
    'orders.gift_revenue',
    'orders.gift_count',
    'orders.revenue_per_order',
    'orders.shipped',
    'revenue',
    'gift_share',
    'north_orders',
    'vip_buyers',
    'north_or_zero',
  ],
  big_orders: [
    'big_orders.count',
    'big_orders.revenue',
    'big_orders.first_region',
    'big_orders.buyers',
    'big_orders.revenue_per_order',
  ],
  items: ['items.count', 'items.total'],
  tickets: ['tickets.count', 'tickets.total_minutes', 'tickets.callers', 'tickets_or_zero'],
  balances: ['balances.count', 'balances.closing', 'balances.opening'],
  customers: ['customers.count', 'customers.total_credit'],
  countries: ['countries.count'],
  several: ['revenue_per_ticket', 'activity'],
}

/** What every fact of the key reaches. */
const OWN: Readonly<Record<Fact, readonly string[]>> = {
  orders: [
    'orders.region',
    'orders.is_gift',
    'orders.quantity',
    'orders.ordered_on',
    'orders.ordered_on.month',
    'orders.ordered_on.week',
    'orders.ordered_on.extract_dow',
    'orders.ordered_on.sprint',
    'orders.tiers.name',
    'orders.shipped_on.quarter',
    'orders.shipping.name',
    'orders.customers.countries.is_far',
  ],
  big_orders: [
    'big_orders.region',
    'big_orders.ordered_on.month',
    'big_orders.ordered_on.sprint',
    'big_orders.shipping.name',
    'big_orders.tiers.name',
  ],
  items: [
    'items.category',
    'items.amount',
    'orders.region',
    'orders.ordered_on.month',
    'orders.tiers.name',
  ],
  tickets: [
    'tickets.topic',
    'tickets.opened_at.hour',
    'tickets.opened_at.day',
    'tickets.opened_at.week',
    'tickets.opened_at.extract_hour',
  ],
  balances: ['balances.account', 'balances.day', 'balances.day.month', 'balances.day.week'],
  customers: [],
  countries: [],
  several: [],
}

const OF_CUSTOMERS = ['customers.segment', 'customers.is_vip', 'customers.id', 'customers.credit']
const OF_COUNTRIES = ['countries.name', 'countries.is_far']
const AXIS = [
  'day',
  'week',
  'month',
  'quarter',
  'year',
  'sprint',
  'extract_month',
  'extract_week',
  'extract_doy',
].map((suffix) => `metric_time.${suffix}`)
const TIMED: readonly Fact[] = ['orders', 'big_orders', 'tickets', 'balances']

function reachable(facts: readonly Fact[]): readonly string[] {
  const [only, ...others] = facts
  if (only === undefined) {
    const own = OWN.orders.filter((name) => !name.includes('tiers'))
    return [...own, ...OF_CUSTOMERS, ...OF_COUNTRIES, ...AXIS]
  }
  if (facts.includes('countries')) return OF_COUNTRIES
  const own = others.length === 0 ? OWN[only] : []
  const axis = facts.every((fact) => TIMED.includes(fact)) ? AXIS : []
  return [...own, ...OF_CUSTOMERS, ...OF_COUNTRIES, ...axis]
}

const TEXTUAL: readonly Operator[] = [
  'contains',
  'notContains',
  'startsWith',
  'endsWith',
  'equals',
  'notEquals',
  'gt',
  'lte',
]
const ORDERED: readonly Operator[] = ['equals', 'notEquals', 'gt', 'gte', 'lt', 'lte']

const texts = fc.constantFrom('north', 'south', 'SOUTH', 'o', '_', '%', '')
const numbers = fc.integer({ min: -1, max: 6 })
const TIMES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  '': fc.constantFrom('2024-02-29', '2024-03-31', '2024-02', '2024-Q1', '2024-02-29T00:00:00'),
  hour: fc.constantFrom('2024-02-29T00:00:00', '2024-03-31', '2024-03'),
  day: fc.constantFrom('2024-02-29', '2024-03-31', '2024-02', '2024'),
  sprint: fc.constantFrom('2024-02-24', '2024-03-05', '2024-02', '2024'),
  week: fc.constantFrom('2024-02-26', '2024-03-25', '2024'),
  month: fc.constantFrom('2024-02', '2024-03', '2024-Q1', '2024'),
  quarter: fc.constantFrom('2024-Q1', '2024-Q2', '2024'),
  year: fc.constantFrom('2024', '2023'),
}

/** A comparison of a dimension, of the kind that its name tells. */
function leafOf(dimension: string): fc.Arbitrary<FilterNode> {
  const isSet = fc
    .constantFrom<Operator>('set', 'notSet')
    .map((operator) => ({ dimension, operator }))
  const last = dimension.split('.').at(-1) ?? ''
  if (last.startsWith('is_'))
    return fc.oneof(isSet, one(dimension, ['equals', 'notEquals'], fc.boolean()))
  const isNumber =
    ['id', 'credit', 'quantity', 'amount'].includes(last) || last.startsWith('extract_')
  if (isNumber)
    return fc.oneof(
      isSet,
      one(dimension, ORDERED, numbers),
      list(dimension, numbers),
      between(dimension, numbers),
    )
  const isTime = /metric_time|ordered_on|shipped_on|opened_at|balances\.day/.test(dimension)
  if (!isTime)
    return fc.oneof(
      isSet,
      one(dimension, TEXTUAL, texts),
      list(dimension, texts),
      between(dimension, texts),
    )
  const times = TIMES[last] ?? TIMES[''] ?? texts
  return fc.oneof(isSet, one(dimension, ORDERED, times), spans(dimension, times))
}

function one(
  dimension: string,
  operators: readonly Operator[],
  values: fc.Arbitrary<Scalar>,
): fc.Arbitrary<FilterNode> {
  return fc.record({
    dimension: fc.constant(dimension),
    operator: fc.constantFrom(...operators),
    value: values,
  })
}

function list(dimension: string, values: fc.Arbitrary<Scalar>): fc.Arbitrary<FilterNode> {
  return fc.record({
    dimension: fc.constant(dimension),
    operator: fc.constantFrom<Operator>('inList', 'notInList'),
    value: fc.array(values, { minLength: 1, maxLength: 3 }),
  })
}

function between(dimension: string, values: fc.Arbitrary<Scalar>): fc.Arbitrary<FilterNode> {
  return fc.tuple(values, values).map(([a, b]) => ({
    dimension,
    operator: 'between',
    value: a <= b ? [a, b] : [b, a],
  }))
}

/** The earlier time first. */
function spans(dimension: string, times: fc.Arbitrary<string>): fc.Arbitrary<FilterNode> {
  return fc.tuple(times, times).map(([a, b]) => ({
    dimension,
    operator: 'between',
    value: span(a)[0] <= span(b)[0] ? [a, b] : [b, a],
  }))
}

/** A tree of at most four levels. */
function tree(leaf: fc.Arbitrary<FilterNode>): fc.Arbitrary<FilterNode> {
  return fc.letrec<{ node: FilterNode; leaf: FilterNode }>((tie) => ({
    leaf,
    node: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'filter' },
      tie('leaf'),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
      tie('node').map((not) => ({ not })),
    ),
  })).node
}

/** Metrics that groups are filtered and ordered by: whole numbers, so that no rounding decides. */
const COUNTED =
  /count|revenue$|buyers|total|gifts|callers|shipped|closing|north_orders|growth|ago|so_far|every_day|after/

function ofMetric(metric: string): fc.Arbitrary<FilterLeaf> {
  const isSet = fc.constantFrom<Operator>('set', 'notSet').map((operator) => ({ metric, operator }))
  const compared = fc.record({
    metric: fc.constant(metric),
    operator: fc.constantFrom(...ORDERED),
    value: numbers,
  })
  return fc.oneof(isSet, compared)
}

function sometimes(node: fc.Arbitrary<FilterNode>): fc.Arbitrary<FilterNode[]> {
  return fc.oneof(
    { arbitrary: fc.constant<FilterNode[]>([]), weight: 2 },
    node.map((only) => [only]),
  )
}

function upTo(most: number, all: readonly string[], least = 0): fc.Arbitrary<string[]> {
  return fc.subarray([...all], { minLength: least, maxLength: Math.min(most, all.length) })
}

const FACTS: readonly Fact[] = [
  'orders',
  'big_orders',
  'items',
  'tickets',
  'balances',
  'customers',
  'countries',
  'several',
]

/** Members of a question whose facts share all of its dimensions. */
const randomMembers = fc.subarray([...FACTS], { maxLength: 2 }).chain((facts) => {
  const metrics = facts.flatMap((fact) => METRICS[fact])
  const overTime = facts.flatMap((fact) => OVER_TIME[fact] ?? [])
  const most = facts.length === 0 ? 1 : 0
  return fc
    .record({
      plain: upTo(3, metrics, Math.min(1, metrics.length)),
      timed: fc.oneof(fc.constant<string[]>([]), upTo(2, overTime)),
      dimensions: upTo(3, reachable(facts), most),
      axis: fc.constantFrom(...axesOf(facts)),
    })
    .map(({ plain, timed, dimensions, axis }) => ({
      facts,
      metrics: [...plain, ...timed],
      dimensions: [...new Set(timed.length > 0 ? [axis, ...dimensions.slice(0, 2)] : dimensions)],
    }))
})

/** Names of the time axis of facts. */
function axesOf(facts: readonly Fact[]): readonly string[] {
  const [only, ...others] = facts
  const own =
    only === undefined || others.length > 0
      ? []
      : OWN[only].filter((name) => /ordered_on|opened_at/.test(name))
  return [...AXIS, ...own]
}

/** Ranges of the time axis, of its own name, or of another time. */
function rangeOn(facts: readonly Fact[]): fc.Arbitrary<AskedQuestion['time_range']> {
  const names =
    facts.includes('orders') && facts.length === 1
      ? ['metric_time', 'orders.ordered_on', 'orders.shipped_on']
      : ['metric_time']
  const ends = fc.constantFrom(
    ['2024-02', '2024-03'],
    ['2024-02-10', '2024-03-05'],
    ['2024-01-31', '2024-01-31'],
    ['2024-03-31', '2024-Q2'],
  )
  return fc
    .tuple(fc.constantFrom(...names), ends)
    .map(([dimension, [start = '', end = '']]) => ({ dimension, start, end }))
}

export const randomQuestion: fc.Arbitrary<AskedQuestion> = randomMembers.chain(
  ({ facts, metrics, dimensions }) => {
    const isAxisOf = (name: string): boolean => facts.length > 0 || !name.startsWith('metric_time')
    const counted = metrics.filter((name) => COUNTED.test(name))
    const compared = fc.constantFrom(...reachable(facts).filter(isAxisOf)).chain(leafOf)
    const keyed = keysOf(facts).map((per) => ofKey(per))
    const onRows = tree(fc.oneof({ arbitrary: compared, weight: 6 }, ...keyed))
    const periods = dimensions.filter((name) => !isAxisOf(name))
    const onPeriods =
      periods.length > 0 ? sometimes(tree(fc.oneof(...periods.map(leafOf)))) : fc.constant([])
    const mixed = [
      ...dimensions.map(leafOf),
      ...counted.flatMap((name) => [ofMetric(name), ofMetric(name)]),
    ]
    const onGroups = counted.length > 0 ? sometimes(tree(fc.oneof(...mixed))) : fc.constant([])
    const fields = [...new Set([...dimensions, ...counted])]
    const segments = facts.every((fact) => fact === 'orders')
      ? ['customers.vips', 'orders.large']
      : []
    const hasAxis =
      facts.length > 0 ? facts.every((fact) => TIMED.includes(fact)) : periods.length > 0
    const grained = dimensions.filter((name) =>
      /^(metric_time|.+\..+)\.(hour|day|week|month|quarter|year)$/.test(name),
    )
    return fc.record({
      metrics: fc.constant(metrics),
      dimensions: fc.constant(dimensions),
      filters: fc.tuple(sometimes(onRows), onGroups, onPeriods).map((all) => all.flat()),
      segments: upTo(1, segments),
      time_range: hasAxis ? fc.option(rangeOn(facts), { nil: undefined }) : fc.constant(undefined),
      order_by: fields.length === 0 ? fc.constant([]) : orderBy(fields),
      limit: fc.constantFrom(1000, 1000, 1000, 1000, 2, 2, 0),
      offset: fc.constantFrom(0, 0, 0, 1),
      timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns'),
      totals: fc.constant(facts.length > 0).chain((is) => (is ? fc.boolean() : fc.constant(false))),
      fill: grained.length === 1 && facts.length > 0 ? fc.boolean() : fc.constant(false),
    })
  },
)

type Key = NonNullable<FilterLeaf['per']>[number]

/** Keys that rows of all facts have. */
function keysOf(facts: readonly Fact[]): readonly Key[] {
  if (facts.includes('countries') || facts.includes('several')) return []
  const customer = { dimension: 'customers.id', matches: 'customers.id' }
  const buyer = { dimension: 'customers.id', matches: 'orders.customer_id' }
  const own = facts.every((fact) => fact === 'orders') && facts.length > 0
  return [
    customer,
    buyer,
    ...(own ? [{ dimension: 'orders.region', matches: 'orders.region' }] : []),
  ]
}

/** A metric of the key compared: of orders, since all keys are theirs. */
function ofKey(key: Key): fc.Arbitrary<FilterNode> {
  const metrics = ['orders.count', 'orders.buyers', 'north_orders', 'orders.revenue']
  return fc
    .constantFrom(...metrics)
    .chain((metric) => ofMetric(metric))
    .map((leaf) => ({ ...leaf, per: [key] }))
}

function orderBy(fields: readonly string[]): fc.Arbitrary<AskedQuestion['order_by']> {
  const term = fc.record({
    field: fc.constantFrom(...fields),
    direction: fc.constantFrom('asc' as const, 'desc' as const),
  })
  return fc.uniqueArray(term, { maxLength: 2, selector: ({ field }) => field })
}
