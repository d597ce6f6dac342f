import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { parseQuestion } from '../src/http/query.schemas.js'
import { runQuery } from '../src/query/run-query.js'
import { toJsonRows } from '../src/results/json-rows.js'
import { type SmallProject, startSmallProject } from './small-project.js'

/** North has few dear orders, south many cheap ones of one buyer, west none that was paid. February is empty. */
const SETUP = `
  create table raw.orders (id int, region text, buyer int, amount int, is_paid boolean, day date);
  insert into raw.orders values
    (1, 'north', 1, 100, true, '2024-01-10'), (2, 'north', 2, 300, true, '2024-03-05'),
    (3, 'south', 1, 1, true, '2024-01-20'), (4, 'south', 1, 2, true, '2024-03-06'), (5, 'south', 1, 3, false, '2024-03-31'),
    (6, 'west', 3, 7, false, '2024-03-30');
  create table raw.balances (account text, day date, amount int, branch text);
  insert into raw.balances values
    ('a', '2024-01-30', 10, 'x'), ('a', '2024-01-31', 20, 'y'), ('a', '2024-03-01', 40, 'x'),
    ('b', '2024-01-15', 5, 'x')`

const CUBES = `
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: count, type: count}
      - {name: revenue, type: sum, sql: amount}
      - {name: average, type: avg, sql: amount}
      - {name: least, type: min, sql: amount}
      - {name: buyers, type: count_distinct, sql: buyer}
    dimensions:
      - {name: region, type: string}
      - {name: is_paid, type: boolean}
      - {name: day, type: time, granularities: [day, month]}
  - name: balances
    sql_table: raw.balances
    measures:
      - {name: closing, type: sum, sql: amount, non_additive: {time: day, choice: last, by: [account]}}
    dimensions:
      - {name: account, type: string}
      - {name: branch, type: string}
      - {name: day, type: time, granularities: [day, month]}
`

const METRICS = `
  - name: paid_share
    type: ratio
    numerator: {expression: orders.revenue, filters: [{dimension: orders.is_paid, operator: equals, value: true}]}
    denominator: {expression: orders.revenue}
  - {name: growth, type: derived, expression: current.orders.revenue - prior.orders.revenue}
  - name: a_month_ago
    type: derived
    expression: before
    inputs: [{name: before, expression: orders.revenue, offset: 1 month}]
  - {name: so_far, type: cumulative, expression: orders.revenue}
`

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: SETUP,
    tables: ['orders', 'balances'],
    cubes: CUBES,
    metrics: METRICS,
    timeSpines: '[{granularity: day, from: 2024-01-01, to: 2024-04-30}]',
  })
})
afterAll(() => small.stop())

async function totals(body: object): Promise<unknown> {
  const question = parseQuestion({ ...body, totals: true })
  const answer = await runQuery(small.project, small.warehouse, aPrincipal(), question)
  const rows: unknown = JSON.parse(
    toJsonRows(answer.totals ?? { fields: [], rows: [] }, answer.plan.metrics),
  )
  return Array.isArray(rows) ? rows[0] : rows
}

const ALL = ['orders.count', 'orders.average', 'orders.least', 'orders.buyers', 'paid_share']

describe('totals', () => {
  test('are those of all rows, not sums or averages of what is shown, whatever the limit', async () => {
    const asked = { metrics: ALL, dimensions: ['orders.region'], limit: 1 }
    expect(await totals(asked)).toEqual({
      'orders.count': 6,
      'orders.average': 413 / 6,
      'orders.least': 1,
      'orders.buyers': 3,
      paid_share: expect.closeTo(403 / 413, 10),
    })
  })

  test('count the rows of groups that pass a filter on a metric, and only those', async () => {
    const filters = [{ metric: 'orders.revenue', operator: 'lt', value: 10 }]
    const asked = { metrics: ALL, dimensions: ['orders.region'], filters, limit: 1 }
    expect(await totals(asked)).toEqual({
      'orders.count': 4,
      'orders.average': 13 / 4,
      'orders.least': 1,
      'orders.buyers': 2,
      paid_share: expect.closeTo(3 / 13, 10),
    })
    const none = [{ metric: 'orders.revenue', operator: 'lt', value: 0 }]
    expect(await totals({ ...asked, filters: none })).toEqual({
      'orders.count': 0,
      'orders.average': null,
      'orders.least': null,
      'orders.buyers': 0,
      paid_share: null,
    })
  })

  test('of a balance is the last of all periods that are shown, not their sum', async () => {
    const asked = { metrics: ['balances.closing'], dimensions: ['balances.day.month'] }
    expect(await totals(asked)).toEqual({ 'balances.closing': 45 })
    const filters = [{ metric: 'balances.closing', operator: 'lt', value: 40 }]
    expect(await totals({ ...asked, filters })).toEqual({ 'balances.closing': 25 })
  })

  test('leave out a balance that the last row of its period puts into a group that does not pass', async () => {
    const dimensions = ['balances.day.month', 'balances.branch']
    const filters = [
      {
        and: [
          { metric: 'balances.closing', operator: 'gt', value: 0 },
          { dimension: 'balances.branch', operator: 'equals', value: 'x' },
          { dimension: 'balances.day.month', operator: 'equals', value: '2024-01' },
        ],
      },
    ]
    const metrics = ['balances.closing']
    expect(await small.ask({ metrics, dimensions, filters })).toEqual([
      { 'balances.day.month': '2024-01', 'balances.branch': 'x', 'balances.closing': 5 },
    ])
    expect(await totals({ metrics, dimensions, filters })).toEqual({ 'balances.closing': 5 })
  })

  test('of a comparison take both sides from the periods that are shown', async () => {
    const asked = {
      metrics: ['orders.revenue', 'growth', 'a_month_ago'],
      dimensions: ['orders.day.month'],
      time_range: { dimension: 'orders.day', start: '2024-02', end: '2024-04' },
    }
    expect(await totals(asked)).toEqual({
      'orders.revenue': 312,
      growth: 312 - (101 + 312),
      // No day of April lies a month after 31 March.
      a_month_ago: 101 + 300 + 2 + 7,
    })
  })

  test('of what accumulates are refused, since a row is in several groups', async () => {
    const asked = { metrics: ['so_far'], dimensions: ['orders.day.month'] }
    await expect(totals(asked)).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      details: [
        { path: 'totals', message: expect.stringContaining('orders.revenue is accumulated') },
      ],
    })
    expect(await totals({ metrics: ['so_far'], dimensions: ['orders.region'] })).toEqual({
      so_far: 413,
    })
  })
})
