import fc from 'fast-check'
import type { Cell, CubeName, Row, Shop } from './shop.js'

type Cells = fc.Arbitrary<Cell>

const some = <T extends Cell>(arbitrary: fc.Arbitrary<T>): Cells =>
  fc.option(arbitrary, { freq: 5 })

/** Days around the ends of months, of a leap February and of summer time in Europe. */
const day = fc.oneof(
  fc.constantFrom('2024-01-31', '2024-02-28', '2024-02-29', '2024-03-01', '2024-03-31'),
  fc
    .integer({ min: 0, max: 70 })
    .map((days) => dateText(Date.UTC(2024, 0, 25) + days * 86_400_000)),
)

const moment = fc
  .tuple(
    day,
    fc.constantFrom('00:00:00', '00:30:00', '01:00:00', '12:15:00', '22:59:59', '23:30:00'),
  )
  .map(([date, clock]) => `${date}T${clock}`)

const text = fc.constantFrom('north', 'south', 'South', 'a_b', '50%', '')
const small = fc.integer({ min: 0, max: 5 })
const key = some(fc.integer({ min: 1, max: 5 }))

const ROWS: Readonly<
  Record<
    Exclude<CubeName, 'big_orders' | 'tiers'>,
    readonly [number, Readonly<Record<string, Cells>>]
  >
> = {
  countries: [3, { name: some(fc.constantFrom('ja', 'ko', 'Ja')), is_far: some(fc.boolean()) }],
  customers: [
    4,
    { country_id: key, segment: some(text), is_vip: some(fc.boolean()), credit: some(small) },
  ],
  orders: [
    12,
    {
      customer_id: key,
      ship_to: key,
      region: some(text),
      is_gift: some(fc.boolean()),
      price: some(small),
      quantity: some(small),
      ordered_on: some(day),
      shipped_on: some(day),
    },
  ],
  items: [
    10,
    { order_id: some(fc.integer({ min: 1, max: 9 })), category: some(text), amount: some(small) },
  ],
  tickets: [
    8,
    { customer_id: key, opened_at: some(moment), minutes: some(small), topic: some(text) },
  ],
  balances: [
    8,
    {
      account: some(fc.constantFrom('a', 'b')),
      customer_id: key,
      day: some(day),
      amount: some(small),
    },
  ],
}

/** A few rows in each table, with nulls, orphans and rows that nobody leads to. */
export const randomShop: fc.Arbitrary<Shop> = fc
  .record({
    countries: rows('countries'),
    customers: rows('customers'),
    orders: rows('orders'),
    items: rows('items'),
    tickets: rows('tickets'),
    balances: rows('balances'),
    tiers: histories(),
  })
  .map((shop) => ({ ...shop, big_orders: bigOnes(shop.orders) }))

/** As the cube that extends `orders` has them. */
export function bigOnes(orders: readonly Row[]): Row[] {
  return orders.flatMap((row) => {
    const { quantity, region } = row
    if (typeof quantity !== 'number' || quantity <= 1) return []
    return [{ ...row, region: typeof region === 'string' ? `${region}!` : null }]
  })
}

/** Of each customer the tiers one after the other; the first may have no beginning and the last no end. */
function histories(): fc.Arbitrary<Row[]> {
  const tier = fc.record({
    changes: fc.uniqueArray(day, { minLength: 2, maxLength: 4 }),
    names: fc.array(text, { minLength: 3, maxLength: 3 }),
    isOpen: fc.tuple(fc.boolean(), fc.boolean()),
  })
  return fc.array(tier, { maxLength: 4 }).map((all) =>
    all.flatMap(({ changes, names, isOpen: [isFirst, isLast] }, index) => {
      const days = changes.sort()
      return days.slice(1).map((until, at) => ({
        id: index * 10 + at,
        customer_id: index + 1,
        name: names[at] ?? null,
        since: at === 0 && isFirst ? null : (days[at] ?? null),
        until: at === days.length - 2 && isLast ? null : until,
      }))
    }),
  )
}

function rows(cube: keyof typeof ROWS): fc.Arbitrary<Row[]> {
  const [maxLength, columns] = ROWS[cube]
  const row = fc.record(columns)
  const full = fc.array(row, { minLength: Math.ceil(maxLength / 2), maxLength, size: 'max' })
  return fc
    .oneof({ withCrossShrink: true }, fc.array(row, { maxLength }), { arbitrary: full, weight: 4 })
    .map((all) => all.map((each, index) => ({ id: index + 1, ...each })))
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
