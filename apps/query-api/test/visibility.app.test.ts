import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'

const everything = { scopes: ['read', 'write', 'admin'] as const }
const PRINCIPALS = {
  clerk: aPrincipal({ id: 'key_clerk', roles: ['clerk'], ...everything }),
  boss: aPrincipal({ id: 'key_boss', roles: ['boss'], ...everything }),
}

let small: SmallProject
let app: QueryApp
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.people (id int, town text, secret_pay int, secret_day date, hired date);
      insert into raw.people values (1, 'Ulm', 1234567, '1977-07-07', '2024-01-01'), (2, 'Bonn', 7654321, '1988-08-08', '2024-02-01');
      create table raw.visits (id int, person_id int, day date);
      insert into raw.visits values (1, 1, '2024-01-01'), (2, 2, '2024-02-02');
      create table raw.safes (id int, secret_code text);
      insert into raw.safes values (1, '1234567');`,
    tables: ['people', 'visits', 'safes'],
    timeSpines: '[{granularity: day, from: 2024-01-01, to: 2024-03-31}]',
    cubes: `
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: town, type: string}
      - {name: hired, type: time, primary_time: true}
      - {name: secret_pay, type: number}
      - {name: secret_day, type: time}
      - {name: secret_twice, type: number, sql: "{secret_pay} * 2"}
      - {name: unlisted_town, type: string, sql: town, public: false}
    measures:
      - {name: count, type: count, drill_members: [town, secret_pay, secret_safes.secret_code, visits.count]}
      - {name: secret_total, type: sum, sql: secret_pay}
      - {name: secret_mean, type: number, sql: "{secret_total} / {count}"}
      - {name: secret_rich, type: count, filters: [{sql: secret_pay > 5000000}]}
      - {name: secret_last, type: count, non_additive: {time: secret_day, choice: last}}
    segments: [{name: secret_few, sql: secret_pay < 5000000}]
  - name: visits
    sql_table: raw.visits
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: person_id, type: number}
      - {name: day, type: time}
    measures: [{name: count, type: count}]
    joins: [{name: people, relationship: many_to_one, sql: "{CUBE}.person_id = {people}.id"}]
  - name: secret_safes
    sql_table: raw.safes
    dimensions: [{name: secret_code, type: string}]
    measures: [{name: count, type: count}]
  - name: secret_again
    sql: select id, secret_code as code from raw.safes
    dimensions: [{name: code, type: string}]
    measures: [{name: count, type: count}]`,
    metrics: `
  - {name: people_count, type: simple, expression: people.count}
  - {name: secret_sum, type: simple, expression: people.secret_total}
  - {name: secret_ratio, type: ratio, numerator: {expression: people.secret_total}, denominator: {expression: people.count}}
  - {name: secret_derived, type: derived, expression: people_count + secret_sum}
  - {name: secret_change, type: derived, expression: current.secret_sum - prior.secret_sum}
  - name: secret_filtered
    type: simple
    expression: people.count
    filters: [{dimension: people.secret_pay, operator: gt, value: 5000000}]
  - name: secret_visits
    type: simple
    expression: visits.count
    filters: [{dimension: people.secret_pay, operator: gt, value: 5000000}]
  - name: secret_per
    type: simple
    expression: visits.count
    filters: [{metric: people.secret_total, per: [people.id], operator: gt, value: 5000000}]
  - {name: secret_so_far, type: cumulative, expression: people.secret_total}
  - name: secret_conversion
    type: conversion
    base: {expression: people.secret_rich}
    conversion: {expression: visits.count}
    entity: {base: id, conversion: person_id}`,
    policies: `
  - {name: no_secrets, cube: people, roles: [clerk], exclude_members: [secret_pay, secret_day]}
  - {name: all_people, cube: people, roles: [boss]}
  - {name: all_visits, cube: visits, roles: [clerk, boss]}
  - {name: boss_only, cube: secret_safes, roles: [boss]}`,
  })
  app = await startQueryApp(small, PRINCIPALS)
})
afterAll(async () => {
  await app.close()
  await small.stop()
})

interface Reply {
  readonly status: number
  readonly text: string
}

async function send(
  who: string,
  path: string,
  body?: object,
  accept = 'application/json',
): Promise<Reply> {
  const headers = {
    authorization: `Bearer ${who}`,
    accept,
    ...(body ? { 'content-type': 'application/json' } : {}),
  }
  const init = body ? { method: 'POST', body: JSON.stringify(body), headers } : { headers }
  const response = await fetch(app.url + path, init)
  return { status: response.status, text: await response.text() }
}

/** Every way to ask a question. */
const DOORS: Readonly<
  Record<string, (who: string, question: Record<string, unknown>) => Promise<Reply>>
> = {
  'POST /query': (who, question) => send(who, '', question),
  'POST /query as CSV': (who, question) => send(who, '', question, 'text/csv'),
  'POST /query as NDJSON': (who, question) => send(who, '', question, 'application/x-ndjson'),
  'POST /query as Arrow': (who, question) =>
    send(who, '', question, 'application/vnd.apache.arrow.stream'),
  'POST /query without rows': (who, question) => send(who, '', { ...question, limit: 0 }),
  'POST /query/validate': (who, question) => send(who, '/validate', question),
  'POST /query/sql': (who, question) => send(who, '/sql', question),
  'GET /query': (who, question) => {
    const parameters = Object.entries(question).map(([key, value]): [string, string] => {
      if (key === 'order_by') return [key, orders(value)]
      const isList = key === 'metrics' || key === 'dimensions' || key === 'segments'
      return [key, isList && Array.isArray(value) ? value.join() : JSON.stringify(value)]
    })
    return send(who, `?${new URLSearchParams(parameters).toString()}`)
  },
}

const orders = (terms: unknown): string =>
  (terms as readonly { field: string; direction: string }[])
    .map(({ field, direction }) => `${field}:${direction}`)
    .join()

const count = { metrics: ['people.count'] }
const filter = (leaf: object) => ({ ...count, filters: [leaf] })
const POSITIONS: Readonly<Record<string, Record<string, unknown>>> = {
  'a dimension': { dimensions: ['people.secret_pay'] },
  'a dimension under another name': { dimensions: ['people.secret_twice'] },
  'a dimension of a joined cube': { metrics: ['visits.count'], dimensions: ['people.secret_pay'] },
  'over a path': { metrics: ['visits.count'], dimensions: ['visits.people.secret_pay'] },
  'a granularity': { ...count, dimensions: ['people.secret_day.month'] },
  'a part of a date': { ...count, dimensions: ['people.secret_day.extract_dow'] },
  'a granularity that is none': { ...count, dimensions: ['people.secret_day.nothing'] },
  'a filter': filter({ dimension: 'people.secret_pay', operator: 'gt', value: 5 }),
  'a filter inside a tree': filter({
    not: { or: [{ dimension: 'people.secret_pay', operator: 'set' }] },
  }),
  'a filter of another type': filter({
    dimension: 'people.secret_pay',
    operator: 'contains',
    value: 'x',
  }),
  'a filter on a metric': filter({ metric: 'people.secret_total', operator: 'gt', value: 5 }),
  'a filter on a metric of a key': filter({
    metric: 'people.secret_total',
    per: ['people.id'],
    operator: 'gt',
    value: 5,
  }),
  'a filter by a hidden key': filter({
    metric: 'people.count',
    per: ['people.secret_pay'],
    operator: 'gt',
    value: 0,
  }),
  'a time range': {
    ...count,
    time_range: { dimension: 'people.secret_day', start: '1970-01-01', end: '1980-01-01' },
  },
  'an order': {
    dimensions: ['people.town'],
    order_by: [{ field: 'people.secret_pay', direction: 'asc' }],
  },
  'an order by a measure': {
    dimensions: ['people.town'],
    order_by: [{ field: 'people.secret_total', direction: 'asc' }],
  },
  'a segment': { ...count, segments: ['people.secret_few'] },
  'a measure': { metrics: ['people.secret_total'] },
  'a measure of measures': { metrics: ['people.secret_mean'] },
  'a measure that is filtered by it': { metrics: ['people.secret_rich'] },
  'a measure at the last hidden time': { metrics: ['people.secret_last'] },
  'a metric': { metrics: ['secret_sum'] },
  'a ratio': { metrics: ['secret_ratio'] },
  'a derived metric': { metrics: ['secret_derived'] },
  'a comparison of periods': { metrics: ['secret_change'], dimensions: ['metric_time.month'] },
  'a metric that is filtered by it': { metrics: ['secret_filtered'] },
  'a metric of another cube that is filtered by it': { metrics: ['secret_visits'] },
  'a metric that is filtered by a metric of a key': { metrics: ['secret_per'] },
  'a cumulative metric': { metrics: ['secret_so_far'], dimensions: ['metric_time.day'] },
  'a conversion': { metrics: ['secret_conversion'] },
  totals: { metrics: ['secret_sum'], totals: true, total_rows: true },
  'a cube that no policy opens': { metrics: ['secret_safes.count'] },
  'beside what is unknown': { metrics: ['nothing.at_all'], dimensions: ['people.secret_pay'] },
}

const FORBIDDEN =
  '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}'

describe.each(Object.entries(POSITIONS))('what is hidden, as %s', (_, question) => {
  test.each(Object.keys(DOORS))('is refused at %s with the one body', async (name) => {
    const reply = await DOORS[name]?.('clerk', question)
    expect(reply).toEqual({ status: 403, text: FORBIDDEN })
  })

  test('is refused by the policy alone: who may see it is not', async () => {
    const { status } = await send('boss', '/validate', question)
    expect(status).toBe(200)
  })
})

test('a cube over the same table is refused to all', async () => {
  for (const who of ['clerk', 'boss']) {
    expect(await send(who, '', { dimensions: ['secret_again.code'] })).toEqual({
      status: 403,
      text: FORBIDDEN,
    })
  }
})

describe('each sees a world of their own', () => {
  test.each([
    '/meta/cubes',
    '/meta/cubes/people',
    '/meta/metrics',
    '/meta/dimensions',
    '?metrics=',
    '',
  ])('GET %s names nothing that is hidden', async (path) => {
    const mine = await send('clerk', path)
    expect(mine).toMatchObject({ status: 200, text: expect.not.stringContaining('secret') })
    expect(mine.text).not.toContain('unlisted')
    expect((await send('boss', path)).text).toContain('secret')
  })

  test('a hidden cube is not there', async () => {
    const hidden = await send('clerk', '/meta/cubes/secret_safes')
    const absent = await send('clerk', '/meta/cubes/secret_absent')
    expect(hidden.status).toBe(404)
    expect(hidden.text.replaceAll('secret_safes', 'secret_absent')).toBe(absent.text)
  })

  test.each<[string, Record<string, unknown>]>([
    ['metrics', { metrics: ['people.secret_totl'] }],
    ['metrics', { metrics: ['secret_summ'] }],
    ['dimensions', { dimensions: ['people.secret_pai'] }],
    ['dimensions', { dimensions: ['secret_safes.secret_cod'] }],
    ['segments', { ...count, segments: ['people.secret_fe'] }],
    ['filters', filter({ dimension: 'people.unlisted_town', operator: 'set' })],
    ['filters', filter({ metric: 'people.secret_totl', operator: 'set' })],
    ['order', { ...count, order_by: [{ field: 'people.secret_pai', direction: 'asc' }] }],
  ])('a near name in %s is not suggested where it is hidden: %j', async (_, question) => {
    const asked = JSON.stringify(question)
    for (const path of ['', '/validate']) {
      const { text } = await send('clerk', path, question)
      const names = text.match(/[\w.]*(secret|unlisted)\w*/g) ?? []
      expect(names.filter((name) => !asked.includes(name))).toEqual([])
    }
  })

  test('values of hidden members are in no answer, statement or error', async () => {
    const questions = [
      {
        dimensions: ['people.town', 'people.id', 'people.hired'],
        metrics: ['people.count'],
        totals: true,
      },
      { metrics: ['visits.count'], dimensions: ['people.town'], total_rows: true },
    ]
    for (const question of questions) {
      for (const door of Object.values(DOORS)) {
        const { text } = await door('clerk', question)
        expect(text).not.toMatch(/1234567|7654321|1977|1988|secret/)
      }
    }
  })
})
