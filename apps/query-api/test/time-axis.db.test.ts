import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type SmallProject, startSmallProject } from './small-project.js'

const SETUP = `
  create table raw.sales (day date, region text, amount int, account int);
  insert into raw.sales values
    ('2024-01-31', 'a', 10, 1), ('2024-02-29', 'a', 20, 1), ('2024-02-29', 'b', 5, 2), ('2024-04-01', 'b', 7, 1);
  create table raw.visits (at timestamp, visitor int, source text);
  insert into raw.visits values
    ('2024-01-01', 1, 'ad'), ('2024-01-05', 1, 'mail'), ('2024-01-06', 2, 'ad'), ('2024-02-01', 3, 'mail');
  create table raw.buys (at timestamp, visitor int);
  insert into raw.buys values ('2024-01-06', 1), ('2024-01-20', 2), ('2024-01-01', 9);
  create table raw.owners (region text, name text, since date, until date);
  insert into raw.owners values ('a', 'Ann', '2024-01-01', '2024-02-01'), ('a', 'Bea', '2024-02-01', null)`

const CUBES = `
  - name: sales
    sql_table: raw.sales
    measures:
      - {name: amount, type: sum, sql: amount}
      - {name: count, type: count}
      - {name: balance, type: sum, sql: amount, non_additive: {time: day, choice: last, by: [account]}}
    dimensions:
      - {name: day, type: time, granularities: [day, month, year]}
      - {name: region, type: string}
      - {name: account, type: number}
    joins:
      - {name: owners, relationship: many_to_one, sql: "{CUBE}.region = {owners}.region", valid_from: since, valid_to: until}
  - name: owners
    sql_table: raw.owners
    dimensions: [{name: name, type: string}]
  - name: visits
    sql_table: raw.visits
    measures: [{name: visits, type: count}]
    dimensions: [{name: at, type: time}, {name: visitor, type: number}, {name: source, type: string}]
  - name: buys
    sql_table: raw.buys
    measures: [{name: buys, type: count}]
    dimensions: [{name: at, type: time}, {name: visitor, type: number}]
`
const METRICS = `
  - {name: amount_so_far, type: cumulative, expression: sales.amount, period_aggregate: last}
  - {name: amount_of_2_days, type: cumulative, expression: sales.amount, window: 2 days}
  - {name: month_to_date, type: cumulative, expression: sales.amount, grain_to_date: month, period_aggregate: last}
  - {name: every_day, type: simple, expression: sales.amount, join_to_time_spine: true, fill_nulls_with: 0}
  - {name: growth, type: derived, expression: current.sales.amount - prior.sales.amount}
  - name: a_month_ago
    type: derived
    expression: before
    inputs: [{name: before, expression: sales.amount, offset: 1 month}]
  - name: conversions
    type: conversion
    base: {expression: visits.visits}
    conversion: {expression: buys.buys}
    entity: visitor
    window: 7 days
    calculation: conversions
  - name: amount_of_large_accounts
    type: simple
    expression: sales.amount
    filters: [{metric: sales.count, per: [sales.account], operator: gt, value: 1}]
`

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: SETUP,
    tables: ['sales', 'visits', 'buys', 'owners'],
    timeSpines: '[{granularity: day, from: 2024-01-01, to: 2024-04-30}]',
    cubes: CUBES,
    metrics: METRICS,
  })
})
afterAll(() => small.stop())

/** The values of one metric by one dimension. */
async function valuesOf(metric: string, dimension: string, more: object = {}): Promise<object> {
  const rows = await small.ask({ metrics: [metric], dimensions: [dimension], ...more })
  return Object.fromEntries(rows.map((row) => [String(row[dimension]), row[metric]]))
}

describe('accumulations', () => {
  test('know what was before an empty month', async () => {
    expect(await valuesOf('amount_so_far', 'metric_time.month')).toEqual({
      '2024-01': 10,
      '2024-02': 35,
      '2024-03': 35,
      '2024-04': 42,
    })
  })

  test('look back before a range', async () => {
    const time_range = { dimension: 'metric_time', start: '2024-03-01', end: '2024-03-02' }
    expect(await valuesOf('amount_of_2_days', 'metric_time.day', { time_range })).toEqual({
      '2024-03-01': 25,
    })
  })

  test('begin anew with each month', async () => {
    expect(await valuesOf('month_to_date', 'metric_time.month')).toEqual({
      '2024-01': 10,
      '2024-02': 25,
      '2024-04': 7,
    })
  })

  test('of all time need no time, those of a window do', async () => {
    expect(await valuesOf('amount_so_far', 'sales.region')).toEqual({ a: 30, b: 12 })
    await expect(small.ask({ metrics: ['amount_of_2_days'] })).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      details: [{ path: 'metrics' }],
    })
  })
})

describe('comparison of periods', () => {
  test('is with the period before, not with the row before', async () => {
    expect(await valuesOf('growth', 'metric_time.month')).toEqual({
      '2024-01': null,
      '2024-02': 15,
      '2024-03': null,
      '2024-04': null,
    })
  })

  test('a month before the 29th and 31st of March is the 29th of February', async () => {
    expect(await valuesOf('a_month_ago', 'metric_time.day')).toEqual({
      '2024-03-29': 25,
      '2024-03-30': 25,
      '2024-03-31': 25,
    })
  })
})

describe('a time spine', () => {
  test('gives every day of a range a value', async () => {
    const time_range = { dimension: 'metric_time', start: '2024-02-28', end: '2024-03-01' }
    expect(await valuesOf('every_day', 'metric_time.day', { time_range })).toEqual({
      '2024-02-28': 0,
      '2024-02-29': 25,
      '2024-03-01': 0,
    })
  })

  test('is what metric_time alone shows', async () => {
    expect(await small.ask({ dimensions: ['metric_time.year'] })).toEqual([
      { 'metric_time.year': '2024' },
    ])
  })
})

describe('a balance', () => {
  test('is the last of each account in each month, then added', async () => {
    expect(await valuesOf('sales.balance', 'sales.day.month')).toEqual({
      '2024-01': 10,
      '2024-02': 25,
      '2024-04': 7,
    })
    expect(await small.ask({ metrics: ['sales.balance'] })).toEqual([{ 'sales.balance': 12 }])
  })
})

test('a conversion is credited to the latest visit before it, inside the window', async () => {
  expect(await valuesOf('conversions', 'visits.source')).toEqual({ mail: 1 })
})

test('a history is joined as it was at the time of what is measured', async () => {
  expect(await valuesOf('sales.amount', 'owners.name')).toEqual({ Ann: 10, Bea: 20, null: 12 })
})

test('rows are filtered by a metric of their key', async () => {
  expect(await small.ask({ metrics: ['amount_of_large_accounts'] })).toEqual([
    { amount_of_large_accounts: 37 },
  ])
})

test('parts of dates are numbers, days of the week ISO ones', async () => {
  expect(await valuesOf('sales.count', 'sales.day.extract_dow')).toEqual({ 1: 1, 3: 1, 4: 2 })
})

test('a range of the last periods ends before the present one', async () => {
  const time_range = { dimension: 'sales.day', last: '5000 months' }
  expect(await valuesOf('sales.count', 'sales.region', { time_range })).toEqual({ a: 2, b: 2 })
  const tomorrow = { dimension: 'sales.day', last: '1 day' }
  expect(await valuesOf('sales.count', 'sales.region', { time_range: tomorrow })).toEqual({})
})

test('a time as it is has one written form, alone and beside offsets and accumulations', async () => {
  const dimensions = ['sales.day']
  const time_range = { dimension: 'sales.day', start: '2024-02-29', end: '2024-02-29' }
  const alone = await small.ask({ metrics: ['sales.amount'], dimensions, time_range })
  expect(alone).toEqual([{ 'sales.day': '2024-02-29', 'sales.amount': 25 }])
  const metrics = ['sales.amount', 'amount_so_far', 'a_month_ago']
  expect(await small.ask({ metrics, dimensions, time_range })).toEqual([
    { 'sales.day': '2024-02-29', 'sales.amount': 25, amount_so_far: 35, a_month_ago: null },
  ])
})

test('a time as it is meets a time spine that is a table of dates', async () => {
  const shop = await startSmallProject({
    setup: `
      create table raw.days (day date);
      insert into raw.days values ('2024-01-01'), ('2024-01-02');
      create table raw.orders (day date, is_gift boolean);
      insert into raw.orders values ('2024-01-02', true)`,
    tables: ['days', 'orders'],
    timeSpines: '\n  - {granularity: day, sql_table: raw.days, column: day}',
    cubes: `
  - name: orders
    sql_table: raw.orders
    measures: [{name: count, type: count}, {name: gifts, type: sum_boolean, sql: is_gift}]
    dimensions: [{name: day, type: time, granularities: [day, month]}]`,
    metrics:
      '  - {name: every_day, type: simple, expression: orders.count, join_to_time_spine: true, fill_nulls_with: 0}',
  })
  try {
    const metrics = ['every_day', 'orders.gifts']
    expect(await shop.ask({ metrics, dimensions: ['orders.day'] })).toEqual([
      { 'orders.day': '2024-01-01', every_day: 0, 'orders.gifts': null },
      { 'orders.day': '2024-01-02', every_day: 1, 'orders.gifts': 1 },
    ])
  } finally {
    await shop.stop()
  }
})
