import { aPrincipal } from '@olytix/auth-guards/testing'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
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
  const streamed = async (accept: string, body: object): Promise<Response> => {
    const headers = { authorization: 'Bearer all', 'content-type': 'application/json', accept }
    return fetch(app.url, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
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
})
