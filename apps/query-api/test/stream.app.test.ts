import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, sql } from '@olytix/postgres'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { type QueryApp, startQueryApp } from './query-app.js'
import { startSuperstore, type Superstore } from './superstore.js'

let superstore: Superstore
let app: QueryApp

beforeAll(async () => {
  superstore = await startSuperstore()
  app = await startQueryApp(superstore, { all: aPrincipal({ roles: ['viewer'] }) })
})

afterAll(async () => {
  await app.close()
  await superstore.stop()
})

describe('rows as they come', () => {
  const streamed = async (
    accept: string,
    body: object,
    signal?: AbortSignal,
  ): Promise<Response> => {
    const headers = { authorization: 'Bearer all', 'content-type': 'application/json', accept }
    return fetch(app.url, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: signal ?? null,
    })
  }
  const byRegion = { metrics: ['orders.order_count'], dimensions: ['orders.region'], limit: 2 }

  test('CSV has a line of names and quotes texts', async () => {
    const response = await streamed('text/csv', byRegion)
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(await response.text()).toBe(
      '"orders.region","orders.order_count"\r\n"Central",1175\r\n"East",1401\r\n',
    )
  })

  test('Arrow has the same rows, in a batch each', async () => {
    const accept = 'application/vnd.apache.arrow.stream'
    const response = await streamed(accept, byRegion)
    expect(response.headers.get('content-type')).toBe(accept)
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()))
    expect(
      JSON.parse(
        JSON.stringify(table.toArray(), (_, value: unknown) =>
          typeof value === 'bigint' ? Number(value) : value,
        ),
      ),
    ).toEqual([
      { 'orders.region': 'Central', 'orders.order_count': 1175 },
      { 'orders.region': 'East', 'orders.order_count': 1401 },
    ])
  })

  test('a format that nobody can write is refused', async () => {
    const response = await streamed('text/html', byRegion)
    expect(response.status).toBe(406)
    await response.text()
  })

  test('NDJSON has an object a line, of more rows than JSON answers hold', async () => {
    const response = await streamed('application/x-ndjson', {
      dimensions: ['orders.row_id'],
      limit: 100_000,
    })
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines).toHaveLength(9994)
    expect(lines[0]).toBe('{"orders.row_id":1}')
  })

  test('what is wrong with a question is an error, not half an answer', async () => {
    const response = await streamed('text/csv', {
      metrics: ['orders.order_count'],
      timezone: 'x y',
    })
    expect(response.status).toBe(400)
    await response.text()
  })

  test('nobody who has gone away keeps the database busy', async () => {
    const leaving = new AbortController()
    const response = await streamed(
      'text/csv',
      { dimensions: ['orders.row_id', 'orders.order_id'], limit: 100_000 },
      leaving.signal,
    )
    await response.body?.getReader().read()
    leaving.abort()
    const owner = new Database({ url: superstore.database.ownerUrl })
    const deadline = Date.now() + 5000
    let open = 1
    while (open > 0 && Date.now() < deadline) {
      const found = await owner.maybeOne(
        z.object({ count: z.number() }),
        sql`select count(*)::int as count from pg_stat_activity
          where datname = current_database() and usename = ${superstore.database.serviceRole} and xact_start is not null`,
      )
      open = found?.count ?? 0
    }
    await owner.close()
    expect(open).toBe(0)
  })
})
