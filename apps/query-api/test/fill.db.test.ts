import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { type SmallProject, startSmallProject } from './small-project.js'

/** b alone has sales before 2024. */
const SETUP = `
  create table raw.sales (tenant text, at timestamptz, region text, amount int);
  insert into raw.sales values
    ('a', '2024-03-29 12:00Z', 'north', 10), ('a', '2024-03-29 13:00Z', 'north', 20), ('a', '2024-04-02 12:00Z', 'south', 5),
    ('a', null, 'north', 1), ('b', '2020-01-01', 'ONLY_B', 99);
  create table raw.calls (tenant text, at timestamptz);
  insert into raw.calls values ('a', '2024-03-31 12:00Z')`
const CUBES = `
  - name: sales
    sql_table: raw.sales
    measures: [{name: count, type: count}, {name: amount, type: sum, sql: amount}, {name: mean, type: avg, sql: amount}]
    dimensions: [{name: at, type: time}, {name: region, type: string}, {name: tenant, type: string}]
  - {name: calls, sql_table: raw.calls, measures: [{name: count, type: count}], dimensions: [{name: at, type: time}]}
`
const METRICS = `
  - {name: share, type: ratio, numerator: {expression: sales.amount}, denominator: {expression: sales.count}}
  - {name: missing, type: simple, expression: sales.amount, fill_nulls_with: -1}
`
const POLICIES = `
  - {name: own, cube: sales, roles: [tenant], filter: tenant = $user.tenant}
  - {name: all, cube: sales, roles: [viewer]}
`
const A = aPrincipal({ roles: ['tenant'], attributes: { tenant: 'a' } })

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: SETUP,
    tables: ['sales', 'calls'],
    cubes: CUBES,
    metrics: METRICS,
    policies: POLICIES,
  })
})
afterAll(() => small.stop())

const values = async (body: object, principal = A): Promise<unknown[][]> =>
  (await small.ask({ fill: true, ...body }, principal)).map((row) => Object.values(row))

const APRIL = { dimension: 'sales.at', start: '2024-03-30', end: '2024-04-01' }

describe('fill', () => {
  test('counts and sums are 0 in a period without rows, all else is null or what the metric says', async () => {
    const metrics = ['sales.count', 'sales.amount', 'sales.mean', 'share', 'missing']
    const asked = { metrics, dimensions: ['sales.at.day'], time_range: APRIL }
    expect(await values(asked)).toEqual([
      ['2024-03-30', 0, 0, null, null, -1],
      ['2024-03-31', 0, 0, null, null, -1],
      ['2024-04-01', 0, 0, null, null, -1],
    ])
    expect(await values({ ...asked, fill: false })).toEqual([])
  })

  test('no day is lost where clocks change', async () => {
    const asked = { metrics: ['sales.count'], dimensions: ['sales.at.day'], time_range: APRIL }
    const days = (await values({ ...asked, timezone: 'Europe/Berlin' })).map(([day]) => day)
    expect(days).toEqual(['2024-03-30', '2024-03-31', '2024-04-01'])
  })

  test('without a range periods go from the first to the last that the caller sees', async () => {
    const asked = { metrics: ['sales.amount'], dimensions: ['sales.at.day'] }
    expect(await values(asked)).toEqual([
      ['2024-03-29', 30],
      ['2024-03-30', 0],
      ['2024-03-31', 0],
      ['2024-04-01', 0],
      ['2024-04-02', 5],
      [null, 1],
    ])
  })

  test('every combination of the other dimensions has every period', async () => {
    const dimensions = ['sales.region', 'sales.at.month']
    expect(await values({ metrics: ['sales.amount'], dimensions })).toEqual([
      ['north', '2024-03', 30],
      ['north', '2024-04', 0],
      ['north', null, 1],
      ['south', '2024-03', 0],
      ['south', '2024-04', 5],
    ])
  })

  test('several facts share the periods', async () => {
    const metrics = ['sales.count', 'calls.count']
    expect(await values({ metrics, dimensions: ['metric_time.day'] })).toEqual([
      ['2024-03-29', 2, 0],
      ['2024-03-30', 0, 0],
      ['2024-03-31', 0, 1],
      ['2024-04-01', 0, 0],
      ['2024-04-02', 1, 0],
      [null, 1, 0],
    ])
  })

  test('filters on metrics see what is filled; order, limit and offset come last', async () => {
    const asked = { metrics: ['sales.amount'], dimensions: ['sales.at.day'] }
    const filters = [{ metric: 'sales.amount', operator: 'lt', value: 5 }]
    expect(await values({ ...asked, filters, limit: 2, offset: 1 })).toEqual([
      ['2024-03-31', 0],
      ['2024-04-01', 0],
    ])
  })

  test('the last periods are there although none has rows', async () => {
    const time_range = { dimension: 'sales.at', last: '3 months' }
    const asked = { metrics: ['sales.count'], dimensions: ['sales.at.month'], time_range }
    expect((await values(asked)).map(([, count]) => count)).toEqual([0, 0, 0])
  })

  test.each([
    ['no time', { dimensions: ['sales.region'] }],
    ['a time as it is', { dimensions: ['sales.at'] }],
    ['two granularities', { dimensions: ['sales.at.day', 'sales.at.month'] }],
  ])('%s cannot be filled: 400', async (_, asked) => {
    await expect(values({ metrics: ['sales.count'], ...asked })).rejects.toThrow('one time')
  })

  test('more periods than the cap are refused, not cut', async () => {
    const range = (end: string) => ({ dimension: 'sales.at', start: '2000-01-01', end })
    const asked = { metrics: ['sales.count'], dimensions: ['sales.at.day'], limit: 50_000 }
    expect(await values({ ...asked, time_range: range('2027-05-18') })).toHaveLength(10_000)
    await expect(values({ ...asked, time_range: range('2027-05-19') })).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      details: [
        {
          path: 'fill',
          message:
            '2000-01-01 to 2027-05-19 are 10,001 days; at most 10,000 can be filled, or ask for weeks',
        },
      ],
    })
    const seconds = { ...asked, dimensions: ['sales.at.second'] }
    const message = expect.stringContaining('more than 10,000 seconds lie between')
    await expect(values(seconds)).rejects.toMatchObject({ details: [{ path: 'fill', message }] })
  })
})
