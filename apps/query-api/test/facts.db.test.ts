import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { type SmallProject, startSmallProject } from './small-project.js'

/**
 * Tenants a and b: b owns the least and greatest amount, a region of its own and a price of zero; an order of a points at
 * a customer of b, one at nobody.
 */
const SETUP = `
  create table raw.customers (id int, tenant text, segment text);
  insert into raw.customers values (1, 'a', 'x'), (2, 'a', 'y'), (3, 'b', 'hidden'), (4, 'a', 'z');
  create table raw.orders (id int, tenant text, customer_id int, region text, amount numeric, items int, code text);
  insert into raw.orders values
    (1, 'a', 1, 'north', 100, 2, '1'), (2, 'a', 1, 'north', 50, 5, '2'), (3, 'a', 2, 'south', 70, 7, '3'),
    (4, 'a', 3, 'south', 5, 1, '4'), (5, 'a', null, null, 1, 1, '5'),
    (6, 'b', 3, 'ONLY_B', 1000000000000, 0, 'six'), (7, 'b', 3, 'ONLY_B', 0, 0, 'seven');
  create table raw.tickets (id int, tenant text, customer_id int, is_urgent boolean);
  insert into raw.tickets values (1, 'a', 1, true), (2, 'a', 1, false), (3, 'a', 4, true), (4, 'a', null, null), (5, 'b', 3, true)`

const CUBES = `
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: count, type: count}
      - {name: revenue, type: sum, sql: amount}
      - {name: average, type: avg, sql: amount}
      - {name: least, type: min, sql: amount}
      - {name: greatest, type: max, sql: amount}
      - {name: first_region, type: min, sql: "{CUBE}.region"}
      - {name: last_region, type: max, sql: "(  region )"}
      - {name: last_shout, type: max, sql: upper(region), value_type: string}
      - {name: median, type: median, sql: amount}
      - {name: p90, type: percentile, percentile: 0.9, sql: amount}
      - {name: customers, type: count_distinct, sql: customer_id}
      - {name: large, type: sum, sql: amount, filters: [{sql: amount > 60}]}
      - {name: price, type: sum, sql: amount / items}
      - {name: codes, type: sum, sql: "code::int"}
      - {name: share_of_large, type: number, sql: "{large} / {revenue}"}
      - {name: per_customer, type: number, sql: "{count} / {customers}"}
    dimensions:
      - {name: id, type: number}
      - {name: region, type: string}
      - {name: tenant, type: string}
      - {name: code, type: number, sql: "code::int"}
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
  - name: customers
    sql_table: raw.customers
    measures: [{name: count, type: count}]
    dimensions: [{name: segment, type: string}, {name: tenant, type: string}]
  - name: tickets
    sql_table: raw.tickets
    measures: [{name: count, type: count}, {name: urgent, type: sum_boolean, sql: is_urgent}, {name: calmest, type: min, sql: is_urgent}]
    dimensions: [{name: tenant, type: string}, {name: is_urgent, type: boolean}]
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
`
const METRICS = `
  - {name: tickets_per_order, type: ratio, numerator: {expression: tickets.count}, denominator: {expression: orders.count}}
  - {name: difference, type: derived, expression: "orders.revenue - orders.large * 2"}
`
const POLICIES = ['orders', 'customers', 'tickets']
  .map(
    (cube) => `  - {name: ${cube}, cube: ${cube}, roles: [tenant], filter: tenant = $user.tenant}
  - {name: ${cube}_all, cube: ${cube}, roles: [viewer]}`,
  )
  .join('\n')

const A = aPrincipal({ roles: ['tenant'], attributes: { tenant: 'a' } })

let small: SmallProject
/** The same without b's rows and without policies. */
let twin: SmallProject
beforeAll(async () => {
  const text = {
    setup: SETUP,
    tables: ['orders', 'customers', 'tickets'],
    cubes: CUBES,
    metrics: METRICS,
  }
  const onlyA = ['orders', 'customers', 'tickets'].map(
    (table) => `; delete from raw.${table} where tenant = 'b'`,
  )
  ;[small, twin] = await Promise.all([
    startSmallProject({ ...text, policies: POLICIES }),
    startSmallProject({ ...text, setup: SETUP + onlyA.join('') }),
  ])
})
afterAll(() => Promise.all([small.stop(), twin.stop()]))

const values = async (body: object): Promise<unknown[][]> =>
  (await small.ask(body)).map((row) => Object.values(row))

describe('numbers', () => {
  test('facts never multiply each other, and a group without a key is one group', async () => {
    const metrics = ['orders.revenue', 'tickets.count', 'customers.count']
    expect(await values({ metrics, dimensions: ['customers.segment'] })).toEqual([
      ['hidden', 1000000000005, 1, 1],
      ['x', 150, 2, 1],
      ['y', 70, null, 1],
      ['z', null, 1, 1],
      [null, 1, 1, null],
    ])
    expect(await values({ metrics })).toEqual([[1000000000226, 5, 4]])
  })

  test('each measure type', async () => {
    const names = [
      'count',
      'revenue',
      'average',
      'least',
      'greatest',
      'median',
      'p90',
      'customers',
      'large',
    ]
    const filters = [{ dimension: 'orders.region', operator: 'inList', value: ['north', 'south'] }]
    const metrics = names.map((name) => `orders.${name}`)
    expect(await values({ metrics, filters })).toEqual([[4, 225, 56.25, 5, 100, 60, 91, 3, 170]])
    expect(await values({ metrics: ['tickets.urgent'] })).toEqual([[3]])
  })

  test('ratios are of sums, exact for whole numbers, and null where the divisor is zero', async () => {
    const metrics = [
      'orders.per_customer',
      'orders.share_of_large',
      'tickets_per_order',
      'difference',
    ]
    const filters = [{ dimension: 'customers.segment', operator: 'inList', value: ['x', 'z'] }]
    expect(await values({ metrics, filters, dimensions: ['customers.segment'] })).toEqual(
      [
        ['x', 2, 100 / 150, 1, -50],
        ['z', null, null, null, null],
      ].map((row) =>
        row.map((value) => (typeof value === 'number' ? expect.closeTo(value, 12) : value)),
      ),
    )
  })

  test('a filter on a metric and one on rows', async () => {
    const filters = [
      { metric: 'orders.count', operator: 'gt', value: 1 },
      {
        or: [
          { metric: 'orders.revenue', operator: 'lt', value: 100 },
          { dimension: 'orders.region', operator: 'equals', value: 'north' },
        ],
      },
    ]
    expect(
      await values({ metrics: ['orders.count'], dimensions: ['orders.region'], filters }),
    ).toEqual([
      ['north', 2],
      ['south', 2],
    ])
  })
})

describe('a principal gets exactly what they would get if the other rows did not exist', () => {
  test.each<[string, object]>([
    ['a total', { metrics: ['orders.revenue', 'orders.count', 'orders.average'] }],
    ['least and greatest', { metrics: ['orders.least', 'orders.greatest', 'orders.median'] }],
    ['groups', { metrics: ['orders.revenue'], dimensions: ['orders.region'] }],
    ['values', { dimensions: ['orders.region'] }],
    ['values through a join', { dimensions: ['orders.region', 'customers.segment'] }],
    [
      'a joined dimension that is hidden reads null',
      { metrics: ['orders.count'], dimensions: ['customers.segment'] },
    ],
    [
      'several facts',
      {
        metrics: ['orders.count', 'tickets.count', 'customers.count'],
        dimensions: ['customers.segment'],
      },
    ],
    ['a ratio of two facts', { metrics: ['tickets_per_order'] }],
    [
      'a filter on a joined dimension',
      {
        metrics: ['orders.count'],
        filters: [{ dimension: 'customers.segment', operator: 'notEquals', value: 'x' }],
      },
    ],
    [
      'a search',
      {
        dimensions: ['orders.region'],
        filters: [{ dimension: 'orders.region', operator: 'contains', value: 'o' }],
      },
    ],
    [
      'an order',
      {
        dimensions: ['orders.region'],
        order_by: [{ field: 'orders.greatest', direction: 'desc' }],
      },
    ],
    [
      'a filter on a metric',
      {
        dimensions: ['orders.region'],
        metrics: ['orders.count'],
        filters: [{ metric: 'orders.greatest', operator: 'gt', value: 60 }],
      },
    ],
    ['a division that fails on hidden rows', { metrics: ['orders.price'] }],
    ['a cast that fails on hidden rows', { metrics: ['orders.codes'] }],
    [
      'a cast in a filter that fails on hidden rows',
      {
        metrics: ['orders.count'],
        filters: [{ dimension: 'orders.code', operator: 'gt', value: 1 }],
      },
    ],
    [
      'a cast in a dimension that fails on hidden rows',
      { metrics: ['orders.count'], dimensions: ['orders.code'] },
    ],
  ])('%s', async (_, body) => {
    const policed = await small.ask(body, A)
    expect(policed).toEqual(await twin.ask(body))
    expect(JSON.stringify(policed)).not.toMatch(/ONLY_B|hidden|1000000000000/)
  })

  test('without the policy the failing cast does fail, without a word of the driver', async () => {
    const failed = small.ask({ metrics: ['orders.codes'] })
    await expect(failed).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      message: expect.not.stringMatching(/six|seven|integer/),
    })
  })
})

describe('the least and greatest of what is no number', () => {
  const asked = { metrics: ['orders.first_region', 'tickets.calmest'] }

  test('are filtered as what they are', async () => {
    const filter = { metric: 'orders.first_region', operator: 'equals', value: 'ONLY_B' }
    expect(await small.ask({ ...asked, filters: [filter] })).toEqual([
      { 'orders.first_region': 'ONLY_B', 'tickets.calmest': false },
    ])
    expect(await small.ask({ ...asked, filters: [{ not: filter }] })).toEqual([])
  })

  test('is known from a dimension however it is written, or is said', async () => {
    const metrics = ['orders.last_region', 'orders.last_shout']
    const filters = [
      { metric: 'orders.last_region', operator: 'startsWith', value: 'sou' },
      { metric: 'orders.last_shout', operator: 'gte', value: 'S' },
    ]
    expect(await small.ask({ metrics, filters })).toEqual([
      { 'orders.last_region': 'south', 'orders.last_shout': 'SOUTH' },
    ])
  })

  test('refuse a value of another type, with its place', async () => {
    const filters = [{ metric: 'tickets.calmest', operator: 'gt', value: 1 }]
    await expect(small.ask({ ...asked, filters })).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      details: [{ path: 'filters[0].operator' }],
    })
  })
})
