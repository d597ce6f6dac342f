import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sql } from '@olytix/postgres'
import { type ModelsReplica, type ModelsStack, startModelsStack } from './models-app.js'

const SOURCE = "{{ source('raw', 'orders') }}"

/** Models that fail, each with a message of PostgreSQL's that quotes or counts what is in the table. */
const HOSTILE = {
  cast_text: { sql: `select cast(secret as int) as a from ${SOURCE}`, sqlstateClass: '22' },
  cast_date: { sql: `select cast(secret as date) as a from ${SOURCE}`, sqlstateClass: '22' },
  divide: { sql: `select 1 / (id - 7) as a from ${SOURCE}`, sqlstateClass: '22' },
  overflow: { sql: `select id * 1000000000 as a from ${SOURCE}`, sqlstateClass: '22' },
  one_row: {
    sql: `select (select secret from ${SOURCE}) as a from ${SOURCE}`,
    sqlstateClass: '21',
  },
} as const

let stack: ModelsStack
let replica: ModelsReplica

beforeAll(async () => {
  const models = Object.entries(HOSTILE).map(
    ([name, each]) => [name, `{{ config(materialized='table') }} ${each.sql}`] as const,
  )
  stack = await startModelsStack({
    setup: `
      create table raw.orders (id int, secret text);
      insert into raw.orders values (7, 'SECRET-42'), (8, 'SECRET-43');
    `,
    tables: ['orders'],
    models: {
      ...Object.fromEntries(models),
      counted: `{{ config(materialized='table') }} select id from ${SOURCE}`,
    },
    cubes: `
      - name: orders
        sql_table: raw.orders
        dimensions: [{name: id, type: number, sql: id, primary_key: true}]`,
    policies: '  - {name: nobody, cube: orders, roles: [nobody]}',
  })
  replica = await stack.startReplica()
})

afterAll(() => stack.stop())

test.each(Object.entries(HOSTILE))(
  '%s tells who may write only the class of the error, however it is asked for',
  async (name, { sqlstateClass }) => {
    const { body } = await replica.finish('writer', { select: [name] })
    expect(body.steps).toMatchObject([{ name, status: 'failed', rows: null, message: null }])
    expect(body.steps).toMatchObject([{ error: { sqlstate_class: sqlstateClass } }])
    expect(JSON.stringify(body)).not.toMatch(/SECRET|"sqlstate":|42\b/)
    const events = await fetch(`${replica.origin}/api/v1/models/runs/${body.id}/events`, {
      headers: { authorization: 'Bearer writer' },
    })
    expect(await events.text()).not.toMatch(/SECRET|"sqlstate":|"message":"/)
    const both = await replica.ask('both', 'GET', `runs/${body.id}`)
    expect(both.body.steps).toEqual(body.steps)
    const kept = sql`select from run_steps where coalesce(message, '') ~ 'SECRET'`
    expect(await stack.database.execute(kept)).toBe(0)
  },
)

test('rows of a model are counted for admins only, where there are policies', async () => {
  const { body } = await replica.finish('writer', { select: ['counted'] })
  expect(body.steps).toMatchObject([{ status: 'succeeded', rows: null }])
  const rowsFor = async (credential: string) =>
    (await replica.ask(credential, 'GET', `runs/${body.id}`)).body.steps
  expect(await rowsFor('both')).toMatchObject([{ rows: null }])
  expect(await rowsFor('admin')).toMatchObject([{ rows: 2 }])
})
