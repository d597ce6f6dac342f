import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { FilterLeaf, FilterNode, Operator } from '../src/project/filter-shape.js'
import { type SmallProject, startSmallProject } from './small-project.js'

/** Rows with everything that is awkward: NULLs, wildcards, last microseconds, ends of months, three kinds of time. */
const SETUP = `
  create table raw.things (
    id int, name text, amount numeric, whole int, share float8, is_open boolean, code uuid, on_day date,
    at_local timestamp, at_instant timestamptz
  );
  insert into raw.things values
    (1, 'Plain', 10, 1, 0.5, true, '00000000-0000-0000-0000-000000000001', '2016-01-31', '2016-01-31 23:59:59.999999', '2016-01-31 23:30:00+00'),
    (2, '100%', 20.5, 2, 1.5, false, '00000000-0000-0000-0000-000000000002', '2016-02-01', '2016-02-01 00:00:00', '2016-02-01 00:00:00+00'),
    (3, 'a_b\\c', -3, 3, 'NaN', true, '00000000-0000-0000-0000-000000000003', '2016-02-29', '2016-02-29 12:00:00', '2016-02-29 12:00:00+00'),
    (4, 'plain', 9007199254740993, 4, 2.5, null, null, '2017-01-01', '2017-01-01 00:00:00', '2016-12-31 23:00:00+00'),
    (5, null, null, null, null, null, null, null, null, null)`

const CUBES = `
  - name: things
    sql_table: raw.things
    measures: [{name: count, type: count}, {name: total, type: sum, sql: amount}]
    dimensions:
      - {name: id, type: number}
      - {name: name, type: string}
      - {name: amount, type: number}
      - {name: whole, type: number}
      - {name: share, type: number}
      - {name: is_open, type: boolean}
      - {name: code, type: string}
      - {name: on_day, type: time}
      - {name: at_local, type: time}
      - {name: at_instant, type: time, primary_time: true}
`

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({ setup: SETUP, tables: ['things'], cubes: CUBES })
})
afterAll(() => small.stop())

async function ids(filter: FilterNode, timezone = 'UTC'): Promise<unknown[]> {
  const rows = await small.ask({ dimensions: ['things.id'], filters: [filter], timezone })
  return rows.map((row) => row['things.id'])
}

const CODE = '00000000-0000-0000-0000-000000000002'

/** Each with the rows that it finds; what negates has the others, the row of NULLs among them. */
const FOUND: readonly [string, Operator, FilterLeaf['value'], number[]][] = [
  ['name', 'equals', 'Plain', [1]],
  ['name', 'contains', 'PLAIN', [1, 4]],
  ['name', 'contains', '%', [2]],
  ['name', 'contains', '_', [3]],
  ['name', 'contains', '\\', [3]],
  ['name', 'startsWith', 'pl', [1, 4]],
  ['name', 'endsWith', '%', [2]],
  ['name', 'inList', ['Plain', '100%', 'x'], [1, 2]],
  ['name', 'gte', 'a', [3, 4]],
  ['name', 'between', ['P', 'b'], [1, 3]],
  ['amount', 'equals', 20.5, [2]],
  ['amount', 'equals', '9007199254740993', [4]],
  ['amount', 'gt', 10, [2, 4]],
  ['amount', 'lte', 10, [1, 3]],
  ['amount', 'between', [-3, 10], [1, 3]],
  ['amount', 'inList', [10, 20.5], [1, 2]],
  ['whole', 'equals', 2.5, []],
  ['whole', 'lt', 2.5, [1, 2]],
  ['share', 'equals', 1.5, [2]],
  ['share', 'gte', 1, [2, 3, 4]],
  ['is_open', 'equals', true, [1, 3]],
  ['is_open', 'inList', [false], [2]],
  ['code', 'equals', CODE, [2]],
  ['code', 'equals', 'no uuid', []],
  ['code', 'inList', [CODE], [2]],
  ['on_day', 'equals', '2016-02-29', [3]],
  ['on_day', 'between', ['2016-01-31', '2016-02-01'], [1, 2]],
  ['on_day.month', 'equals', '2016-02', [2, 3]],
  ['on_day.year', 'equals', 2016, [1, 2, 3]],
  ['on_day.month', 'inList', ['2016-01', '2017-01'], [1, 4]],
  ['at_local', 'equals', '2016-01-31', [1]],
  ['at_local', 'lte', '2016-01-31', [1]],
  ['at_local', 'between', ['2016-01-01', '2016-01-31'], [1]],
  ['at_local', 'equals', '2016-02-01T00:00:00', [2]],
  ['at_local.quarter', 'equals', '2016-Q1', [1, 2, 3]],
  ['at_local', 'inList', ['2016-01-31', '2016-02-29'], [1, 3]],
  ['at_instant', 'equals', '2016-01-31', [1]],
  ['at_instant', 'lt', '2016-02-01T01:00:00+01:00', [1]],
  ['at_instant.year', 'equals', '2016', [1, 2, 3, 4]],
]

describe('each operator finds its rows', () => {
  test.each(FOUND)('%s %s %j', async (member, operator, value, expected) => {
    const filter: FilterNode = { dimension: `things.${member}`, operator, value }
    expect(await ids(filter)).toEqual(expected)
    const others = [1, 2, 3, 4, 5].filter((id) => !expected.includes(id))
    expect(await ids({ not: filter })).toEqual(others)
  })

  const NEGATIVES: readonly [Operator, Operator][] = [
    ['equals', 'notEquals'],
    ['contains', 'notContains'],
    ['inList', 'notInList'],
  ]

  test.each(
    FOUND.flatMap(([member, operator, value, expected]) =>
      NEGATIVES.flatMap(([positive, negative]) =>
        positive === operator ? [[member, negative, value, expected] as const] : [],
      ),
    ),
  )(
    '%s %s %j finds all others, those without a value too',
    async (member, operator, value, not) => {
      const filter: FilterNode = { dimension: `things.${member}`, operator, value }
      expect(await ids(filter)).toEqual([1, 2, 3, 4, 5].filter((id) => !not.includes(id)))
    },
  )

  test('set and notSet divide the rows', async () => {
    expect(await ids({ dimension: 'things.is_open', operator: 'set' })).toEqual([1, 2, 3])
    expect(await ids({ dimension: 'things.is_open', operator: 'notSet' })).toEqual([4, 5])
  })

  test('a list may be long', async () => {
    const value = Array.from({ length: 10_000 }, (_, index) => index)
    expect(await ids({ dimension: 'things.id', operator: 'inList', value })).toEqual([
      1, 2, 3, 4, 5,
    ])
  })
})

describe('the zone of a question', () => {
  test('holds for filters and groups alike, of instants only', async () => {
    const day = { dimension: 'things.at_instant', operator: 'equals', value: '2016-02-01' } as const
    expect(await ids(day)).toEqual([2])
    expect(await ids(day, 'Europe/Berlin')).toEqual([1, 2])
    expect(await ids(day, 'America/St_Johns')).toEqual([])
    const rows = await small.ask({
      metrics: ['things.count'],
      dimensions: ['things.at_instant.day', 'things.at_local.day'],
      filters: [day],
      timezone: 'Europe/Berlin',
    })
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['2016-02-01', '2016-01-31', 1],
      ['2016-02-01', '2016-02-01', 1],
    ])
  })

  test.each([
    ['year', ['2016', '2017', null]],
    ['quarter', ['2016-Q1', '2017-Q1', null]],
    ['month', ['2016-01', '2016-02', '2017-01', null]],
    ['week', ['2016-01-25', '2016-02-01', '2016-02-29', '2016-12-26', null]],
    ['day', ['2016-01-31', '2016-02-01', '2016-02-29', '2017-01-01', null]],
    [
      'hour',
      [
        '2016-01-31T23:00:00',
        '2016-02-01T00:00:00',
        '2016-02-29T12:00:00',
        '2017-01-01T00:00:00',
        null,
      ],
    ],
    [
      'minute',
      [
        '2016-01-31T23:59:00',
        '2016-02-01T00:00:00',
        '2016-02-29T12:00:00',
        '2017-01-01T00:00:00',
        null,
      ],
    ],
    [
      'second',
      [
        '2016-01-31T23:59:59',
        '2016-02-01T00:00:00',
        '2016-02-29T12:00:00',
        '2017-01-01T00:00:00',
        null,
      ],
    ],
  ])('a %s is written as documented', async (granularity, expected) => {
    const rows = await small.ask({ dimensions: [`things.at_local.${granularity}`] })
    expect(rows.map((row) => Object.values(row)[0])).toEqual(expected)
  })

  test('raw times are written with a T, instants with their offset in that zone', async () => {
    const [row] = await small.ask({
      dimensions: ['things.on_day', 'things.at_local', 'things.at_instant'],
      limit: 1,
      timezone: 'Asia/Kolkata',
    })
    expect(Object.values(row ?? {})).toEqual([
      '2016-01-31',
      '2016-01-31T23:59:59.999999',
      '2016-02-01T05:00:00+05:30',
    ])
  })

  test('both days of a change of summer time are one day each', async () => {
    for (const day of ['2016-03-27', '2016-10-30']) {
      const filter = { dimension: 'things.at_instant', operator: 'equals', value: day } as const
      expect(await ids(filter, 'Europe/Berlin')).toEqual([])
    }
  })
})

describe('pages', () => {
  test('cover each row once, and no rows are none', async () => {
    const pages = await Promise.all(
      [0, 2, 4, 6].map((offset) => small.ask({ dimensions: ['things.name'], limit: 2, offset })),
    )
    expect(pages.flat().map((row) => row['things.name'])).toEqual([
      '100%',
      'Plain',
      'a_b\\c',
      'plain',
      null,
    ])
    expect(await small.ask({ dimensions: ['things.name'], limit: 0 })).toEqual([])
  })

  test('what has no value comes last, downwards too', async () => {
    const rows = await small.ask({
      dimensions: ['things.id'],
      metrics: ['things.total'],
      order_by: [{ field: 'things.total', direction: 'desc' }],
    })
    expect(rows.map((row) => row['things.id'])).toEqual([4, 2, 1, 3, 5])
  })
})
