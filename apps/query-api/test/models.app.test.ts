import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sql } from '@olytix/postgres'
import { z } from 'zod'
import { type ModelsReplica, type ModelsStack, startModelsStack } from './models-app.js'

let stack: ModelsStack
let replica: ModelsReplica

beforeAll(async () => {
  stack = await startModelsStack({
    setup: `
      create table raw.orders (id int, tenant text, amount numeric);
      insert into raw.orders values (1, 'a', 10), (2, 'b', 0);
    `,
    tables: ['orders', 'absent'],
    models: {
      good: "select id, tenant from {{ source('raw', 'orders') }}",
      broken: "select id from {{ source('raw', 'absent') }}",
    },
  })
  replica = await stack.startReplica()
})

afterAll(() => stack.stop())

describe('POST /models/run', () => {
  test('202: the run goes on by itself and tells of each model', async () => {
    const { status, body } = await replica.ask('both', 'POST', 'run', { select: ['good'] })
    expect({ status, body }).toMatchObject({
      status: 202,
      body: { run_id: expect.stringMatching(/^run_/) },
    })
    expect((await replica.finish('both', { select: ['good'] })).body).toMatchObject({
      kind: 'models',
      status: 'succeeded',
      revision: 1,
      selection: ['good'],
      full_refresh: false,
      requested_by: { id: 'key_both', email: null },
      steps: [{ name: 'good', kind: 'model', status: 'succeeded', rows: null, error: null }],
    })
    expect(await stack.warehouse.reader.execute(sql`select * from models.good`)).toBe(2)
  })

  test('a model that fails says why in our words', async () => {
    const { body } = await replica.finish('both')
    expect(body.status).toBe('failed')
    expect(body.steps).toMatchObject([
      {
        name: 'broken',
        status: 'failed',
        error: {
          sqlstate_class: '42',
          sqlstate: '42P01',
          message:
            'a table is not there; was it loaded, and were the models run that this one reads?',
        },
      },
      { name: 'good', status: 'succeeded' },
    ])
  })

  test('400: a model that is not there, with the nearest name', async () => {
    const { status, body } = await replica.ask('both', 'POST', 'run', { select: ['god'] })
    expect({ status, details: body.error?.details }).toEqual({
      status: 400,
      details: [{ path: 'select[0]', message: '"god" chooses no model', suggestion: 'good' }],
    })
  })

  test('403: reading is not enough, for any of the routes', async () => {
    for (const [method, path] of [
      ['POST', 'run'],
      ['GET', 'runs'],
      ['GET', 'runs/run_1'],
      ['GET', 'runs/run_1/events'],
    ] as const) {
      const answer = await replica.ask('reader', method, path, method === 'POST' ? {} : undefined)
      expect([path, answer.status]).toEqual([path, 403])
    }
  })

  test('writes an event when it is asked for and when it ends, by who asked', async () => {
    const { body } = await replica.finish('writer', { select: ['good'], full_refresh: true })
    const row = z.object({ user: z.string(), data: z.record(z.string(), z.unknown()) })
    const events = await stack.database.many(
      row,
      sql`
        select user_id as user, additional_data as data from audit_events
        where event_type = 'model_run' and subject = ${body.id} order by id`,
    )
    expect(events).toMatchObject([
      { user: 'key_writer', data: { phase: 'requested', status: 'queued', full_refresh: true } },
      {
        user: 'key_writer',
        data: {
          phase: 'finished',
          status: 'succeeded',
          steps: [{ name: 'good', status: 'succeeded' }],
        },
      },
    ])
  })
})

describe('GET /models/runs', () => {
  test('with write alone a run tells status, time and class of an error, nothing else', async () => {
    const { body } = await replica.finish('writer')
    expect(body.steps).toEqual([
      {
        name: 'broken',
        kind: 'model',
        status: 'failed',
        rows: null,
        message: null,
        duration_ms: expect.any(Number),
        error: { sqlstate_class: '42' },
      },
      {
        name: 'good',
        kind: 'model',
        status: 'succeeded',
        rows: null,
        message: null,
        duration_ms: expect.any(Number),
        error: null,
      },
    ])
  })

  test('lists the newest first, in pages', async () => {
    const all = await replica.ask('writer', 'GET', 'runs')
    const ids = all.body.runs.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(2)
    expect(ids).toEqual([...ids].sort().reverse())
    const page = await replica.ask('writer', 'GET', 'runs?page_size=1')
    expect(page.body).toMatchObject({ runs: [{ id: ids[0] }], next_page_token: ids[0] })
    const next = await replica.ask('writer', 'GET', `runs?page_size=1&page_token=${ids[0] ?? ''}`)
    expect(next.body.runs).toMatchObject([{ id: ids[1] }])
  })

  test('404: a run that is not there', async () => {
    expect((await replica.ask('writer', 'GET', 'runs/run_1')).status).toBe(404)
  })
})

describe('GET /models/runs/{id}/events', () => {
  const eventsOf = async (id: string, lastEventId?: string): Promise<string> => {
    const response = await fetch(`${replica.origin}/api/v1/models/runs/${id}/events`, {
      headers: {
        authorization: 'Bearer writer',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    return response.text()
  }

  test('follows a run to its end, and tells no more than the run does', async () => {
    const { body } = await replica.ask('writer', 'POST', 'run', {})
    const text = await eventsOf(body.run_id)
    expect(text).toContain(
      'event: step\ndata: {"name":"broken","kind":"model","status":"failed","rows":null',
    )
    expect(text).toMatch(/id: \d+\nevent: run\ndata: \{"id":"run_[^}]*"status":"failed"/)
    expect(text).not.toContain('42P01')
  })

  test('goes on after the last event that was seen', async () => {
    const { body } = await replica.finish('writer')
    const ids = [...(await eventsOf(body.id)).matchAll(/^id: (\d+)$/gm)].map(([, id]) => id ?? '')
    expect(ids).toHaveLength(3)
    const first = ids.map(Number).sort((a, b) => a - b)[0]
    const rest = [...(await eventsOf(body.id, String(first))).matchAll(/^id: (\d+)$/gm)]
    expect(rest).toHaveLength(2)
  })
})
