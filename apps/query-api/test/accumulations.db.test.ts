import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { type SmallProject, startSmallProject } from './small-project.js'

const SETUP = `
  create table raw.sales (day date, region text, price int, is_gift boolean, note text);
  insert into raw.sales values
    ('2023-12-30', 'north', 1, true, 'b'), ('2024-01-01', 'north', 10, false, 'a'), ('2024-01-01', null, 100, null, 'c'),
    ('2024-01-03', 'south', 1000, true, 'B'), (null, 'north', 5, true, 'x'), ('2024-01-03', 'north', null, false, null);
  create table raw.groups (day date, events int);
  insert into raw.groups values ('2024-01-02', 1), ('2024-01-02', 2), ('2024-01-04', 3);
  create table raw.many (day date, amount numeric);
  insert into raw.many select date '2000-01-01' + n % 7300, n from generate_series(1, 20000) as n`

const MEASURES = {
  total: 'type: sum, sql: price',
  rows: 'type: count',
  gifts: 'type: sum_boolean, sql: is_gift',
  gift_rows: 'type: count, filters: [{sql: is_gift}]',
  least: 'type: min, sql: price',
  last_note: 'type: max, sql: note, value_type: string',
  regions: 'type: count_distinct, sql: region',
  mean: 'type: avg, sql: price',
}
const names = Object.keys(MEASURES)
const metrics = names.flatMap((name) => [
  `  - {name: ${name}_so_far, type: cumulative, expression: sales.${name}}`,
  `  - {name: ${name}_of_3, type: cumulative, expression: sales.${name}, window: 3 days}`,
  `  - {name: ${name}_to_date, type: cumulative, expression: sales.${name}, grain_to_date: month}`,
])

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: SETUP,
    tables: ['sales', 'groups'],
    timeSpines: '\n  - {granularity: day, from: 2024-01-01, to: 2024-01-04}\n',
    cubes: `
  - name: sales
    sql_table: raw.sales
    measures: [${Object.entries(MEASURES)
      .map(([name, rest]) => `{name: ${name}, ${rest}}`)
      .join()}]
    dimensions: [{name: day, type: time}, {name: region, type: string}]
  - name: groups
    sql_table: raw.groups
    measures: [{name: past, type: sum, sql: events}]
    dimensions: [{name: day, type: time}, {name: events, type: number}]
  - name: periods
    extends: groups
    measures: [{name: seen, type: sum, sql: events}]`,
    metrics: `${metrics.join('\n')}
  - {name: events, type: cumulative, expression: groups.past}
  - {name: rows, type: cumulative, expression: periods.seen, window: 2 days}`,
    policies: `
  - {name: all, cube: sales, roles: [boss]}
  - {name: north, cube: sales, roles: [clerk], filter: region = 'north'}`,
  })
})
afterAll(() => small.stop())

const boss = aPrincipal({ roles: ['boss'] })

async function byDay(metric: string, who = boss): Promise<unknown[]> {
  const rows = await small.ask({ metrics: [metric], dimensions: ['metric_time.day'] }, who)
  return rows.map((row) => row[metric])
}

describe('an accumulation', () => {
  test.each([
    ['total_so_far', [111, 111, 1111, 1111]],
    ['rows_so_far', [3, 3, 5, 5]],
    ['gifts_so_far', [1, 1, 2, 2]],
    ['gift_rows_so_far', [1, 1, 2, 2]],
    ['least_so_far', [1, 1, 1, 1]],
    ['last_note_so_far', ['c', 'c', 'c', 'c']],
    ['regions_so_far', [1, 1, 2, 2]],
    ['mean_so_far', [37, 37, 277.75, 277.75]],
  ])('of all time counts rows from before the first period: %s', async (metric, expected) => {
    expect(await byDay(metric)).toEqual(expected)
  })

  test.each([
    ['total_of_3', [111, 110, 1110, 1000]],
    ['rows_of_3', [3, 2, 4, 2]],
    ['gift_rows_of_3', [1, 1, 1]],
    ['least_of_3', [1, 10, 10, 1000]],
    ['last_note_of_3', ['c', 'c', 'c', 'B']],
    ['regions_of_3', [1, 1, 2, 2]],
  ])('of a window forgets what is older, to the day: %s', async (metric, expected) => {
    expect(await byDay(metric)).toEqual(expected)
  })

  test.each([
    ['total_to_date', [110, 110, 1110, 1110]],
    ['gifts_to_date', [0, 0, 1, 1]],
    ['last_note_to_date', ['c', 'c', 'c', 'c']],
  ])('to date begins anew with each period: %s', async (metric, expected) => {
    expect(await byDay(metric)).toEqual(expected)
  })

  test('is there from the first row of a group on, also of the group without a name', async () => {
    const rows = await small.ask(
      { metrics: ['total_so_far', 'rows_of_3'], dimensions: ['metric_time.day', 'sales.region'] },
      boss,
    )
    expect(rows.map((row) => Object.values(row).join())).toEqual([
      '2024-01-01,north,11,2',
      '2024-01-01,,100,1',
      '2024-01-02,north,11,1',
      '2024-01-02,,100,1',
      '2024-01-03,north,11,2',
      '2024-01-03,south,1000,1',
      '2024-01-03,,100,1',
      '2024-01-04,north,11,1',
      '2024-01-04,south,1000,1',
      '2024-01-04,,100,',
    ])
  })

  test('runs over the rows that the policies of the caller give, no others', async () => {
    const clerk = aPrincipal({ roles: ['clerk'] })
    expect(await byDay('total_so_far', clerk)).toEqual([11, 11, 11, 11])
    expect(await byDay('rows_of_3', clerk)).toEqual([2, 1, 2, 1])
  })

  test('takes no harm from names that its statement uses itself', async () => {
    const rows = await small.ask({
      metrics: ['events', 'rows'],
      dimensions: ['metric_time.day'],
      filters: [{ dimension: 'metric_time.day', operator: 'gte', value: '2024-01-02' }],
    })
    expect(rows.map((row) => [row['events'], row['rows']])).toEqual([
      [3, 3],
      [3, 3],
      [6, 3],
    ])
  })
})

test('an accumulation does not look at every row for every period', async () => {
  const long = await startSmallProject({
    setup: SETUP,
    tables: ['many'],
    timeSpines: '\n  - {granularity: day, from: 2000-01-01, to: 2019-12-31}',
    cubes:
      '  - {name: many, sql_table: raw.many, measures: [{name: total, type: sum, sql: amount}], dimensions: [{name: day, type: time}]}',
    metrics:
      '  - {name: so_far, type: cumulative, expression: many.total}\n  - {name: year, type: cumulative, expression: many.total, window: 1 year}',
  })
  try {
    const [last] = await long.ask({
      metrics: ['so_far', 'year'],
      dimensions: ['metric_time.day'],
      order_by: [{ field: 'metric_time.day', direction: 'desc' }],
      limit: 1,
      timeout_ms: 10_000, // joined row by row it takes a minute
    })
    expect(last?.['so_far']).toBe(200_010_000)
  } finally {
    await long.stop()
  }
})
