import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from '@olytix/postgres'
import { z } from 'zod'
import {
  type Answer,
  type ModelsReplica,
  type ModelsStack,
  startModelsStack,
  untilFinished,
} from './models-app.js'

let stack: ModelsStack

beforeAll(async () => {
  stack = await startModelsStack({
    setup: `
      create table raw.orders (id int);
      create table raw.held (id int);
      insert into raw.orders values (1), (2);
    `,
    tables: ['orders', 'held'],
    models: {
      first: "{{ config(materialized='table') }} select id from {{ source('raw', 'orders') }}",
      second: `{{ config(materialized='table') }}
        select f.id from {{ ref('first') }} as f left join {{ source('raw', 'held') }} as h on h.id = f.id`,
      third: "{{ config(materialized='table') }} select id from {{ ref('second') }}",
    },
  })
})

afterAll(() => stack.stop())

/** Lets the second model wait for as long as `work` runs. */
async function whileHeld(work: () => Promise<void>): Promise<void> {
  await stack.warehouse.owner.transaction(async (transaction) => {
    await transaction.execute(sql`lock table raw.held in access exclusive mode`)
    await work()
  })
}

async function untilRunning(replica: ModelsReplica, id: string): Promise<Answer> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const answer = await replica.ask('both', 'GET', `runs/${id}`)
    if (JSON.stringify(answer.body.steps).includes('"second","kind":"model","status":"running"')) {
      return answer
    }
  }
  throw new Error('the second model did not begin')
}

const builtAt = async (): Promise<string> => {
  const row = z.object({ xmin: z.string() })
  const found = await stack.warehouse.asBuilder.maybeOne(
    row,
    sql`select xmin::text from models.first limit 1`,
  )
  return found?.xmin ?? ''
}

describe('a run', () => {
  let replica: ModelsReplica

  beforeEach(async () => {
    replica = await stack.startReplica()
  })

  test('that its process leaves goes on in another, and what was built is not built again', async () => {
    const { body } = await replica.ask('both', 'POST', 'run', {})
    let before = ''
    await whileHeld(async () => {
      await untilRunning(replica, body.run_id)
      before = await builtAt()
      await replica.close()
    })
    const other = await stack.startReplica()
    const { body: run } = await untilFinished(() => other.ask('both', 'GET', `runs/${body.run_id}`))
    expect(run).toMatchObject({
      status: 'succeeded',
      steps: [
        { name: 'first', status: 'succeeded', rows: 2 },
        { name: 'second', status: 'succeeded', rows: 2 },
        { name: 'third', status: 'succeeded', rows: 2 },
      ],
    })
    expect(await builtAt()).toBe(before)
    await other.close()
  })

  test('whose process is cut off from the database is taken up again, once', async () => {
    const other = await stack.startReplica()
    const { body } = await replica.ask('both', 'POST', 'run', {})
    await whileHeld(async () => {
      await untilRunning(replica, body.run_id)
      // As when a process is killed: the server finds its connections gone.
      await stack.database.execute(sql`
        select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and granted and pid <> pg_backend_pid()
          and database = (select oid from pg_database where datname = current_database())`)
    })
    const { body: run } = await untilFinished(() => other.ask('both', 'GET', `runs/${body.run_id}`))
    expect(run.status).toBe('succeeded')
    const row = z.object({ count: z.number() })
    const ends = await stack.database.maybeOne(
      row,
      sql`
        select count(*)::int as count from audit_events
        where subject = ${body.run_id} and additional_data ->> 'phase' = 'finished'`,
    )
    expect(ends).toEqual({ count: 1 })
    await other.close()
  })

  test('skips what reads a model that failed, whose table stays as it was', async () => {
    await stack.warehouse.owner.execute(sql`alter table raw.held rename to gone`)
    try {
      const { body } = await replica.finish('both')
      expect(body).toMatchObject({
        status: 'failed',
        steps: [
          { name: 'first', status: 'succeeded' },
          { name: 'second', status: 'failed', error: { sqlstate: '42P01' } },
          { name: 'third', status: 'skipped', error: { message: 'second did not succeed' } },
        ],
      })
      expect(await stack.warehouse.reader.execute(sql`select from models.second`)).toBe(2)
    } finally {
      await stack.warehouse.owner.execute(sql`alter table raw.gone rename to held`)
    }
  })
})
