import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sql } from '@olytix/postgres'
import { z } from 'zod'
import { type ModelsReplica, type ModelsStack, startModelsStack } from './models-app.js'

let stack: ModelsStack
let replica: ModelsReplica

const TARGETS = `region,day,target,share,is_open,at,note
West,2026-01-31,10.50,0.25,true,2026-01-31T12:00:00+02:00,"it's, ""quoted""
and \\long"
,,,,,,
East,2026-02-28,7,1,FALSE,2026-02-28T00:00:00Z,$1 {{ x }}
`

beforeAll(async () => {
  stack = await startModelsStack({
    setup: `
      create table raw.orders (id int, region text, loaded_at timestamp);
      insert into raw.orders values
        (1, 'West', now() at time zone 'UTC'), (1, 'East', '2020-01-01'), (2, 'South', null), (null, null, null);
      create table raw.old (loaded_at date);
      insert into raw.old values (current_date - 10);
      create table raw.empty (loaded_at timestamptz);
    `,
    tables: [],
    models: {
      aims: "select region, target from {{ ref('targets') }} where is_open",
      kept: "{{ config(materialized='table') }} select id, region from {{ source('shop', 'orders') }}",
    },
    files: {
      'seeds/targets.csv': TARGETS,
      'seeds/other.csv': 'a\n1\n',
      'models/schema.yml': `models:
  - {name: kept, columns: [{name: region, tests: [not_null: {severity: warn}]}]}
  - {name: aims, columns: [{name: region, tests: [unique, {relationships: {to: "source('shop', 'orders')", field: region}}]}]}
`,
      'sources/shop.yml': `sources:
  - name: shop
    schema: raw
    loaded_at_field: loaded_at
    freshness: {warn_after: {count: 1, period: day}, error_after: {count: 30, period: day}}
    tables:
      - name: orders
        columns:
          - {name: id, tests: [unique, not_null]}
          - {name: region, tests: [{accepted_values: {values: [West, East, "it's"]}}]}
          - {name: loaded_at}
      - {name: old}
      - {name: empty}
`,
      'tests/no_south.sql': "select id from {{ source('shop', 'orders') }} where region = 'South'",
    },
  })
  replica = await stack.startReplica()
})

afterAll(() => stack.stop())

const target = z.record(z.string(), z.unknown())

describe('POST /models/seed', () => {
  test('loads the rows of files with their types, empty fields as null', async () => {
    const { body } = await replica.finish('both', {}, 'seed')
    expect(body).toMatchObject({
      kind: 'seeds',
      status: 'succeeded',
      steps: [
        { name: 'other', kind: 'seed', status: 'succeeded', rows: 1 },
        { name: 'targets', kind: 'seed', status: 'succeeded', rows: 3 },
      ],
    })
    const [west, none, east] = await stack.warehouse.reader.many(
      target,
      sql`select region, day::text, target::text, is_open, at at time zone 'UTC' = '2026-01-31 10:00' as at, note from seeds.targets`,
    )
    expect(west).toEqual({
      region: 'West',
      day: '2026-01-31',
      target: '10.50',
      is_open: true,
      at: true,
      note: 'it\'s, "quoted"\nand \\long',
    })
    expect(Object.values(none ?? {})).toEqual([null, null, null, null, null, null])
    expect(east).toMatchObject({ is_open: false, note: '$1 {{ x }}' })
  })

  test('can be chosen by name; rows are replaced, not added', async () => {
    const { body } = await replica.finish('both', { select: ['targets'] }, 'seed')
    expect(body.steps).toMatchObject([{ name: 'targets', status: 'succeeded', rows: 3 }])
    expect(await stack.warehouse.reader.execute(sql`select from seeds.targets`)).toBe(3)
  })

  test('400: a seed that is not there, with the nearest name, and a setting that seeds do not have', async () => {
    const unknown = await replica.ask('both', 'POST', 'seed', { select: ['target'] })
    expect(unknown.body.error?.details).toEqual([
      { path: 'select[0]', message: '"target" chooses no seed', suggestion: 'targets' },
    ])
    const { status } = await replica.ask('both', 'POST', 'seed', { full_refresh: true })
    expect([unknown.status, status]).toEqual([400, 400])
  })
})

describe('POST /models/test', () => {
  beforeAll(async () => {
    await replica.finish('both', { select: ['kept'] })
    await replica.finish('both', {}, 'seed')
  })

  test('counts what fails; a warning fails nothing', async () => {
    const { body } = await replica.finish('both', {}, 'test')
    expect(body).toMatchObject({ kind: 'tests', status: 'failed' })
    const shown = z.array(
      z.looseObject({
        name: z.string(),
        status: z.string(),
        rows: z.number(),
        message: z.string().nullable(),
      }),
    )
    const steps = shown
      .parse(body.steps)
      .map(({ name, status, rows, message }) => [name, status, rows, message])
    expect(steps).toEqual([
      ['shop.orders.id:unique', 'failed', 1, null],
      ['shop.orders.id:not_null', 'failed', 1, null],
      ['shop.orders.region:accepted_values', 'failed', 1, null],
      ['kept.region:not_null', 'succeeded', 1, 'warning: not every row passes'],
      ['aims.region:unique', 'succeeded', 0, null],
      ['aims.region:relationships', 'succeeded', 0, null],
      ['no_south', 'failed', 1, null],
    ])
  })

  test('can be chosen by what they look at, or by name', async () => {
    const { body } = await replica.finish('both', { select: ['aims', 'no_south'] }, 'test')
    expect(body.steps).toMatchObject([
      { name: 'aims.region:unique' },
      { name: 'aims.region:relationships' },
      { name: 'no_south', error: { message: 'not every row passes' } },
    ])
  })

  test('with write alone tells whether rows fail, not how many', async () => {
    const { body } = await replica.finish('writer', { select: ['no_south'] }, 'test')
    expect(body.steps).toEqual([
      {
        name: 'no_south',
        kind: 'test',
        status: 'failed',
        rows: null,
        message: null,
        duration_ms: expect.any(Number),
        error: { sqlstate_class: null },
      },
    ])
  })
})

describe('POST /models/freshness', () => {
  test('says which tables have no row that is new enough', async () => {
    const { body } = await replica.finish('both', {}, 'freshness')
    expect(body).toMatchObject({
      kind: 'freshness',
      status: 'failed',
      steps: [
        { name: 'shop.orders', kind: 'freshness', status: 'succeeded', rows: null, message: null },
        {
          name: 'shop.old',
          status: 'succeeded',
          message: 'warning: its newest row is older than warn_after',
        },
        {
          name: 'shop.empty',
          status: 'failed',
          error: { message: 'no row says when it was loaded' },
        },
      ],
    })
  })

  test('can be chosen by source or table', async () => {
    const { body } = await replica.finish('both', { select: ['shop.orders'] }, 'freshness')
    expect(body).toMatchObject({ status: 'succeeded', steps: [{ name: 'shop.orders' }] })
    const all = await replica.finish('both', { select: ['source:shop'] }, 'freshness')
    expect(all.body.steps).toHaveLength(3)
  })
})

test('403: reading is not enough for any of them', async () => {
  for (const verb of ['seed', 'test', 'freshness']) {
    expect([verb, (await replica.ask('reader', 'POST', verb, {})).status]).toEqual([verb, 403])
  }
})
