import { aPrincipal } from '@olytix/auth-guards/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'

/** What a question may ask, and how answers are written, over HTTP as a client sees it. */
const PRINCIPALS = {
  reader: aPrincipal({ id: 'key_reader', roles: ['viewer'] }),
  writer: aPrincipal({ id: 'key_writer', roles: ['developer'], scopes: ['write'] }),
}

let small: SmallProject
let app: QueryApp

beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.orders (id int, region text, buyer int, price float8, day date, at timestamptz);
      insert into raw.orders values
        (1, 'North_1', 1, 10, '2016-01-31', '2016-01-31 23:30:00+00'), (2, 'north%', 1, 20, '2016-02-01', '2016-02-01 00:30:00+00'),
        (3, null, 2, 5, '2016-12-31', '2016-12-31 12:00:00+00'), (4, 'South\\', 9, 'NaN', '2017-01-01', null);
      create table raw.buyers (id int, segment text);
      insert into raw.buyers values (1, 'small'), (2, 'large'), (3, 'none');
      create table raw.numbers as select generate_series(1, 1200) as n`,
    tables: ['orders', 'buyers', 'numbers'],
    cubes: `
  - name: orders
    sql_table: raw.orders
    measures: [{name: count, type: count}, {name: total, type: sum, sql: price}, {name: share, type: number, sql: "{count} / ({count} - {count})"}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: day, type: time, primary_time: true}
      - {name: at, type: time}
    joins: [{name: buyers, relationship: many_to_one, sql: "{CUBE}.buyer = {buyers}.id"}]
  - name: buyers
    sql_table: raw.buyers
    measures: [{name: count, type: count}]
    dimensions: [{name: segment, type: string}]
  - {name: numbers, sql_table: raw.numbers, dimensions: [{name: n, type: number}]}`,
    metrics: `
  - {name: monthly, type: simple, expression: orders.count, time_grain: month}
  - {name: yearly, type: simple, expression: orders.count, time_grain: year}`,
  })
  app = await startQueryApp(small, PRINCIPALS)
})

afterAll(async () => {
  await app.close()
  await small.stop()
})

type Row = Readonly<Record<string, unknown>>

async function send(body: object, path = '', headers: Record<string, string> = {}) {
  return fetch(app.url + path, {
    method: 'POST',
    headers: { authorization: 'Bearer reader', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

/** Of each row the values, joined. */
async function ask(body: object): Promise<string[]> {
  const response = await send(body)
  const answer = (await response.json()) as { data?: readonly Row[]; error?: unknown }
  if (!answer.data) throw new Error(JSON.stringify(answer.error))
  return answer.data.map((row) => Object.values(row).join())
}

const ids = (...filters: readonly object[]): Promise<string[]> =>
  ask({ dimensions: ['orders.id'], filters })

describe('periods', () => {
  test.each([
    ['orders.day.year', '2016,2017'],
    ['orders.day.quarter', '2016-Q1,2016-Q4,2017-Q1'],
    ['orders.day.month', '2016-01,2016-02,2016-12,2017-01'],
    ['orders.day.week', '2016-01-25,2016-02-01,2016-12-26'],
    ['orders.day.day', '2016-01-31,2016-02-01,2016-12-31,2017-01-01'],
    ['orders.at.hour', '2016-01-31T23:00:00,2016-02-01T00:00:00,2016-12-31T12:00:00,'],
    ['orders.day', '2016-01-31,2016-02-01,2016-12-31,2017-01-01'],
    ['orders.day.extract_dow', '1,6,7'],
    ['orders.day.extract_month', '1,2,12'],
  ])('%s are written %s', async (name, expected) => {
    expect((await ask({ dimensions: [name] })).join()).toBe(expected)
  })

  test.each([
    ['orders.day.year', '2016', ['1', '2', '3']],
    ['orders.day.year', 2016, ['1', '2', '3']],
    ['orders.day.month', '2016-02', ['2']],
    ['orders.day.quarter', '2016-Q1', ['1', '2']],
    ['orders.day.week', '2016-01-25', ['1']],
    ['orders.day', '2016-12-31', ['3']],
    ['orders.at', '2016-01-31', ['1']],
  ])('%s is compared with %j as it is written', async (dimension, value, expected) => {
    expect(await ids({ dimension, operator: 'equals', value })).toEqual(expected)
  })

  test('are those of the zone, of instants only', async () => {
    const body = { metrics: ['orders.count'], timezone: 'Europe/Berlin' }
    expect(await ask({ ...body, dimensions: ['orders.at.month'] })).toEqual([
      '2016-02,2',
      '2016-12,1',
      ',1',
    ])
    expect(await ask({ ...body, dimensions: ['orders.day.year'] })).toEqual(['2016,3', '2017,1'])
  })

  test('of a range are whole days to its end', async () => {
    const time_range = { dimension: 'orders.at', start: '2016-01-31', end: '2016-01-31' }
    expect(await ask({ dimensions: ['orders.id'], time_range })).toEqual(['1'])
  })
})

describe('a metric with a time grain', () => {
  test('is grouped by it where no time is asked for, several by the coarsest', async () => {
    const monthly = (await (await send({ metrics: ['monthly'] })).json()) as { data: Row[] }
    expect(monthly.data[0]).toEqual({ 'orders.day.month': '2016-01', monthly: 1 })
    expect(await ask({ metrics: ['monthly', 'yearly'] })).toEqual(['2016,3,3', '2017,1,1'])
    expect(await ask({ metrics: ['monthly'], dimensions: ['orders.day.year'] })).toEqual([
      '2016,3',
      '2017,1',
    ])
  })
})

describe('filters', () => {
  const region = 'orders.region'

  test.each([
    ['contains', 'NORTH', ['1', '2']],
    ['contains', '_', ['1']],
    ['endsWith', '%', ['2']],
    ['endsWith', '\\', ['4']],
    ['startsWith', 'south', ['4']],
    ['notContains', 'north', ['3', '4']],
    ['notEquals', 'north%', ['1', '3', '4']],
    ['notInList', ['north%', 'North_1'], ['3', '4']],
  ])(
    '%s %j knows no case and no wildcard, and negatives keep NULL',
    async (operator, value, rows) => {
      expect(await ids({ dimension: region, operator, value })).toEqual(rows)
    },
  )

  test('between has both its ends', async () => {
    const between = { dimension: 'orders.id', operator: 'between', value: [2, 3] }
    expect(await ids(between)).toEqual(['2', '3'])
  })

  test('may be a tree, over a metric and a dimension at once', async () => {
    const filters = [
      {
        or: [
          { metric: 'orders.count', operator: 'gt', value: 1 },
          { not: { dimension: 'buyers.segment', operator: 'set' } },
        ],
      },
    ]
    const body = { metrics: ['orders.count'], dimensions: ['buyers.segment'], filters }
    expect(await ask(body)).toEqual(['small,2', ',1'])
  })

  test('on what a metric cannot reach are INVALID_QUERY, never left out', async () => {
    const filters = [{ dimension: region, operator: 'set' }]
    const response = await send({ metrics: ['orders.count', 'buyers.count'], filters })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: 'INVALID_QUERY', details: [{ path: 'filters[0].dimension' }] },
    })
  })
})

describe('an answer', () => {
  test('is null where a divisor is zero, and a text where a number is none', async () => {
    expect(await ask({ metrics: ['orders.share', 'orders.total'] })).toEqual([',NaN'])
  })

  test('has the facts beside each other on what is asked, null where one has nothing', async () => {
    const metrics = ['orders.count', 'buyers.count']
    expect(await ask({ metrics, dimensions: ['buyers.segment'] })).toEqual([
      'large,1,1',
      'none,,1',
      'small,2,1',
      ',1,',
    ])
  })

  test('may be ordered by what is not selected', async () => {
    const order_by = [{ field: 'orders.id', direction: 'desc' }]
    expect(await ask({ dimensions: ['orders.region'], order_by })).toEqual([
      'South\\',
      '',
      'north%',
      'North_1',
    ])
  })

  test('follows a path that is spelled out', async () => {
    const dimensions = ['orders.buyers.segment']
    expect(await ask({ metrics: ['orders.count'], dimensions })).toEqual([
      'large,1',
      'small,2',
      ',1',
    ])
  })

  test('has 1000 rows at most unless asked, and none for the limit 0', async () => {
    const body = { dimensions: ['orders.id'] }
    expect(await ask({ ...body, limit: 0 })).toEqual([])
    expect(await ask({ ...body, limit: 2, offset: 1 })).toEqual(['2', '3'])
    expect(await ask({ dimensions: ['numbers.n'] })).toHaveLength(1000)
    expect(await ask({ dimensions: ['numbers.n'], limit: 1100 })).toHaveLength(1100)
  })
})

describe('at the caps a question is still answered', () => {
  const leaf = { dimension: 'orders.id', operator: 'gt', value: 0 }
  const nested = (depth: number): object => (depth === 0 ? leaf : { and: [nested(depth - 1)] })

  test.each<[string, object]>([
    ['a limit of 50,000', { limit: 50_000 }],
    ['100 filters', { filters: Array.from({ length: 100 }, () => leaf) }],
    ['16 levels', { filters: [nested(15)] }],
    [
      '10,000 values',
      {
        filters: [
          { ...leaf, operator: 'inList', value: Array.from({ length: 10_000 }, (_, n) => n) },
        ],
      },
    ],
  ])('%s', async (_, more) => {
    expect(await ask({ dimensions: ['orders.id'], ...more })).toHaveLength(4)
  })
})

describe('what is refused', () => {
  test.each([
    ['a format that nobody writes', { accept: 'image/png' }, 406, 'NOT_ACCEPTABLE'],
    ['a credential without read', { authorization: 'Bearer writer' }, 403, 'FORBIDDEN'],
    ['no credential', { authorization: '' }, 401, 'UNAUTHORIZED'],
    ['a body of another type', { 'content-type': 'text/xml' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('%s', async (_, headers, status, code) => {
    const response = await send({ metrics: ['orders.count'] }, '', headers)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code } })
  })

  test('the statement to who is no admin', async () => {
    expect((await send({ metrics: ['orders.count'] }, '/sql')).status).toBe(403)
  })
})
