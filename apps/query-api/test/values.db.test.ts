import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type SmallProject, startSmallProject } from './small-project.js'

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.orders (id int, region text, customer int, day date);
      insert into raw.orders values (1, 'a', 1, '2024-01-01'), (2, 'b', 1, '2024-01-02'), (3, 'b', 2, '2024-02-01');
      create table raw.customers (id int, name text);
      insert into raw.customers values (1, 'Ann'), (2, 'Bob'), (3, 'Cid')`,
    tables: ['orders', 'customers'],
    timeSpines: '\n  - {granularity: day, from: 2024-01-01, to: 2024-03-31}',
    cubes: `
  - name: orders
    sql_table: raw.orders
    measures: [{name: count, type: count}]
    dimensions: [{name: id, type: number}, {name: region, type: string}, {name: day, type: time}]
    segments: [{name: late, sql: "day > '2025-01-01'"}, {name: early, sql: "day < '2025-01-01'"}]
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer = {customers}.id"}]
  - name: customers
    sql_table: raw.customers
    dimensions: [{name: id, type: number, primary_key: true}, {name: name, type: string}]`,
  })
})
afterAll(() => small.stop())

async function values(body: object): Promise<string[]> {
  return (await small.ask(body)).map((row) => Object.values(row).join())
}

const hasOrders = (least: number) => ({ metric: 'orders.count', operator: 'gte', value: least })

describe('a metric that only filters or orders', () => {
  test('makes dimensions its groups, without counting a row twice', async () => {
    const dimensions = ['metric_time.month']
    expect(await values({ dimensions, filters: [hasOrders(1)] })).toEqual(['2024-01', '2024-02'])
    expect(await values({ dimensions, filters: [hasOrders(2)] })).toEqual(['2024-01'])
    expect(await values({ dimensions, filters: [hasOrders(3)] })).toEqual([])
  })

  test('may order dimensions that nothing else is asked beside', async () => {
    const order_by = [{ field: 'orders.count', direction: 'desc' }]
    expect(await values({ dimensions: ['orders.region'], order_by })).toEqual(['b', 'a'])
    expect(await values({ dimensions: ['metric_time.month'], order_by })).toEqual([
      '2024-01',
      '2024-02',
    ])
  })

  test('takes filters on the time axis', async () => {
    const time_range = { dimension: 'metric_time', start: '2024-02', end: '2024-02' }
    const body = { dimensions: ['orders.region'], time_range }
    expect(await values({ ...body, filters: [hasOrders(1)] })).toEqual(['b'])
  })
})

describe('values of dimensions without any metric', () => {
  test('are those of every period beside metric_time', async () => {
    const periods = { dimension: 'metric_time.month', operator: 'gte', value: '2024-02' }
    const body = { dimensions: ['metric_time.month', 'orders.region'], filters: [periods] }
    expect(await values(body)).toEqual(['2024-02,a', '2024-02,b', '2024-03,a', '2024-03,b'])
  })

  test('are no periods where no row is in a segment', async () => {
    const body = { dimensions: ['metric_time.month'] }
    expect(await values({ ...body, segments: ['orders.late'] })).toEqual([])
    expect(await values({ ...body, segments: ['orders.early'] })).toHaveLength(3)
  })

  test.each([
    ['a filter', { filters: [{ dimension: 'metric_time', operator: 'lt', value: '2024' }] }],
    ['a range', { time_range: { dimension: 'metric_time', start: '2024-02', end: '2024-02' } }],
    [
      'a filter beside another dimension',
      {
        dimensions: ['orders.region', 'metric_time.month'],
        filters: [
          {
            or: [
              { dimension: 'metric_time.month', operator: 'equals', value: '2024-01' },
              { dimension: 'orders.region', operator: 'equals', value: 'a' },
            ],
          },
        ],
      },
    ],
  ])('are refused with %s on a time axis that is not there', async (_, more) => {
    await expect(small.ask({ dimensions: ['orders.region'], ...more })).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      details: [{ message: expect.stringContaining('metric_time is the time of metrics') }],
    })
  })

  test('are filtered by a metric of a key that another cube has', async () => {
    const filters = [{ ...hasOrders(2), per: ['customers.id'] }]
    expect(await values({ dimensions: ['customers.name'], filters })).toEqual(['Ann'])
    expect(await values({ dimensions: ['orders.region'], filters })).toEqual(['a', 'b'])
  })
})
