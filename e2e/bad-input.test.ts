import { beforeAll, describe, expect, test } from '@jest/globals'
import { expectBadRequest, expectRefusal } from './harness/errors.js'
import { type Answer, ask, createKey, query } from './harness/http.js'
import { stack } from './harness/stack.js'

const METRICS = ['total_revenue']
const WEST = { dimension: 'orders.region', operator: 'equals', value: 'West' }

let key: string
beforeAll(async () => {
  ;({ key } = await createKey())
})

function filtered(...filters: readonly unknown[]): Promise<Answer> {
  return query(key, { metrics: METRICS, filters })
}

describe('a body that is no question', () => {
  test.each([
    ['malformed JSON', '{"metrics": ["total_revenue"'],
    ['nothing', ''],
    ['a byte order mark alone', '\ufeff'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '42'],
    ['a text', '"metrics"'],
    ['neither metrics nor dimensions', '{}'],
    ['empty lists', '{"metrics":[],"dimensions":[]}'],
    ['a prototype', '{"__proto__":{"metrics":["total_revenue"]}}'],
  ])('%s: 400', async (_what, body) => {
    const answer = await query(key, body)
    expectBadRequest(answer)
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'of type %s: 415',
    async (type) => {
      const headers = { 'Content-Type': type }
      const answer = await ask('/api/v1/query', { method: 'POST', key, body: 'metrics=x', headers })
      expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE')
    },
  )

  test('of 2 MB: 413', async () => {
    const body = { metrics: METRICS, filters: [{ ...WEST, value: 'x'.repeat(2 * 1024 * 1024) }] }
    expectRefusal(await query(key, body), 413, 'PAYLOAD_TOO_LARGE')
  })

  test('nested 100,000 deep: 400', async () => {
    const body = `{"metrics":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expectRefusal(await query(key, body), 400, 'INVALID_REQUEST')
  })
})

describe('a member that is breaking the schema', () => {
  test.each([
    ['metrics', { metrics: 'total_revenue' }],
    ['metrics[0]', { metrics: [1] }],
    ['metrics[0]', { metrics: [null] }],
    ['dimensions', { dimensions: {} }],
    ['filters', { filters: {} }],
    ['filters[0]', { filters: ['orders.region = West'] }],
    ['order_by', { order_by: 'total_revenue' }],
    ['order_by[0].direction', { order_by: [{ field: 'total_revenue', direction: 'up' }] }],
    ['limit', { limit: -1 }],
    ['limit', { limit: 1.5 }],
    ['limit', { limit: '10' }],
    ['limit', { limit: null }],
    ['limit', { limit: 50_001 }],
    ['limit', { limit: 1e300 }],
    ['offset', { offset: -1 }],
    ['metric', { metric: 'total_revenue' }],
    ['constructor', { constructor: 1 }],
  ])('%s of %j: 400 that names it', async (path, body) => {
    const error = expectRefusal(
      await query(key, { metrics: METRICS, ...body }),
      400,
      'INVALID_REQUEST',
    )
    expect(error.details?.map((detail) => detail.path)).toContain(path)
  })

  test('an unknown key comes with the near one', async () => {
    const answer = await query(key, { metrics: METRICS, dimension: ['orders.region'] })
    const error = expectRefusal(answer, 400, 'INVALID_REQUEST')
    expect(error.details).toEqual([
      expect.objectContaining({ path: 'dimension', suggestion: 'dimensions' }),
    ])
  })

  test('several problems come back at once', async () => {
    const answer = await query(key, { metrics: METRICS, limit: -1, offset: 'x', filters: 3 })
    const error = expectRefusal(answer, 400, 'INVALID_REQUEST')
    expect(error.details?.map(({ path }) => path).toSorted()).toEqual([
      'filters',
      'limit',
      'offset',
    ])
  })
})

describe('a name that there is not', () => {
  test.each([
    ['metrics[0]', { metrics: ['monthly_revenu'] }, 'monthly_revenue'],
    ['metrics[0]', { metrics: ['orders.cuont'] }, 'orders.count'],
    ['metrics[0]', { metrics: ['order.count'] }, 'orders.count'],
    ['dimensions[0]', { dimensions: ['orders.regoin'] }, 'orders.region'],
    ['dimensions[0]', { dimensions: ['orders.order_date.mnoth'] }, 'orders.order_date.month'],
    [
      'filters[0].dimension',
      { filters: [{ ...WEST, dimension: 'orders.regio' }] },
      'orders.region',
    ],
    [
      'order_by[0].field',
      { order_by: [{ field: 'total_revenu', direction: 'asc' }] },
      'total_revenue',
    ],
  ])('%s of %j: 400 with the near one', async (path, body, suggestion) => {
    const error = expectRefusal(
      await query(key, { metrics: METRICS, ...body }),
      400,
      'INVALID_QUERY',
    )
    expect(error.details).toEqual([expect.objectContaining({ path, suggestion })])
  })

  test.each([
    '__proto__',
    'constructor',
    'orders.__proto__',
    'orders.constructor',
    'orders.region.',
    'a.b.c.d.e',
    'orders.region"; drop table raw.orders; --',
    'ORDERS.REGION',
    '',
    ' ',
    'x'.repeat(10_000),
    '\u0000',
  ])('%j is no dimension: 400', async (name) => {
    const answer = await query(key, { metrics: METRICS, dimensions: [name] })
    expectBadRequest(answer)
  })
})

describe('a filter', () => {
  test.each([
    ['equal', 'equals'],
    ['startWith', 'startsWith'],
    ['notinlist', 'notInList'],
  ])('with the unknown operator %s: 400 with the near one', async (operator, suggestion) => {
    const answer = await filtered({ ...WEST, operator })
    const error = expectBadRequest(answer)
    expect(error.details).toEqual([
      expect.objectContaining({ path: 'filters[0].operator', suggestion }),
    ])
  })

  test.each([
    ['an operator that has no name', { ...WEST, operator: '__proto__' }],
    ['no value', { dimension: 'orders.region', operator: 'equals' }],
    ['an object as value', { ...WEST, value: { a: 1 } }],
    ['a list where one value belongs', { ...WEST, operator: 'gt', value: ['a', 'b'] }],
    ['one value where a list belongs', { ...WEST, operator: 'inList' }],
    ['NULL in a list', { ...WEST, operator: 'inList', value: ['West', null] }],
    ['one end of between', { ...WEST, operator: 'between', value: ['a'] }],
    ['three ends of between', { ...WEST, operator: 'between', value: ['a', 'b', 'c'] }],
    ['a value for set', { ...WEST, operator: 'set' }],
    ['neither dimension nor metric', { operator: 'equals', value: 'West' }],
    ['an unknown key', { ...WEST, values: ['West'] }],
    ['a word for a date', { dimension: 'orders.order_date', operator: 'gt', value: 'yesterday' }],
    ['a day that is not', { dimension: 'orders.order_date', operator: 'gt', value: '2016-02-30' }],
    ['infinity', { dimension: 'orders.order_date', operator: 'lt', value: 'infinity' }],
    ['a number for a date', { dimension: 'orders.order_date', operator: 'gt', value: 20160101 }],
  ])('with %s: 400', async (_what, filter) => {
    const answer = await filtered(filter)
    expectBadRequest(answer)
  })

  test('500 of them: 400', async () => {
    expectRefusal(await filtered(...Array<unknown>(500).fill(WEST)), 400, 'INVALID_REQUEST')
  })

  test('100 of them are allowed', async () => {
    expect((await filtered(...Array<unknown>(100).fill(WEST))).status).toBe(200)
  })

  // Texts that PostgreSQL cannot hold, or that would mean something in SQL or a pattern.
  test.each(['\u0000', '\ud800', "'; drop table raw.orders; --", '\\', '%', '$1', '{CUBE}'])(
    'with the value %j finds nothing or is refused, and breaks nothing',
    async (value) => {
      for (const operator of ['equals', 'contains', 'startsWith']) {
        const answer = await filtered({ ...WEST, operator, value })
        if (answer.status === 200) {
          expect(JSON.parse(answer.text)).toMatchObject({ data: [{ total_revenue: null }] })
        } else expectBadRequest(answer)
      }
    },
  )
})

describe('a credential', () => {
  test('in two Authorization headers: 400', async () => {
    const headers = { Authorization: [`Bearer ${key}`, `Bearer ${key}`] }
    expectRefusal(await ask('/api/v1/auth/me', { headers }), 400, 'INVALID_REQUEST')
  })

  test('in header and query at once: 400', async () => {
    const answer = await ask(`/api/v1/query?api_key=${key}`, { key })
    expectRefusal(answer, 400, 'INVALID_REQUEST')
  })

  test('twice in the query: 400', async () => {
    const answer = await ask(`/api/v1/query?api_key=${key}&api_key=${key}`)
    expectRefusal(answer, 400, 'INVALID_REQUEST')
  })

  test('in headers larger than allowed: 431', async () => {
    const answer = await ask('/api/v1/auth/me', { headers: { 'X-Long': 'x'.repeat(100_000) } })
    expectRefusal(answer, 431, 'HEADERS_TOO_LARGE')
  })
})

describe('a key that is asked for', () => {
  test.each([
    ['name', { name: '' }],
    ['name', { name: 3 }],
    ['scopes[0]', { scopes: ['raed'] }],
    ['scopes', { scopes: 'read' }],
    ['expires_in_days', { expires_in_days: 0 }],
    ['expires_in_days', { expires_in_days: 1.5 }],
    ['expires_in_days', { expires_in_days: '365' }],
    ['expires_in_days', { expires_in_days: 99_999_999 }],
    ['owner', { owner: 'usr_somebody' }],
  ])('with a wrong %s, %j: 400 that names it', async (path, body) => {
    const answer = await ask('/api/v1/auth/keys', {
      method: 'POST',
      key: stack.admin_api_key,
      body: { name: 'e2e', ...body },
    })
    const error = expectRefusal(answer, 400, 'INVALID_REQUEST')
    expect(error.details?.map((detail) => detail.path)).toContain(path)
  })

  test('with an attribute whose name is not lower case: 400', async () => {
    const answer = await ask('/api/v1/auth/keys', {
      method: 'POST',
      key: stack.admin_api_key,
      body: { name: 'e2e', attributes: { Region: 'West' } },
    })
    expectRefusal(answer, 400, 'INVALID_REQUEST')
  })

  test('with a role that there is not: 400', async () => {
    const answer = await ask('/api/v1/auth/keys', {
      method: 'POST',
      key: stack.admin_api_key,
      body: { name: 'e2e', roles: ['analist'] },
    })
    expectRefusal(answer, 400, 'INVALID_REQUEST')
  })
})

describe('an address', () => {
  test('that there is not: 404', async () => {
    expectRefusal(await ask('/api/v1/querry', { key }), 404, 'NOT_FOUND')
  })

  test('with another method: 405 that says which', async () => {
    const answer = await ask('/api/v1/query', { method: 'DELETE', key })
    expectRefusal(answer, 405, 'METHOD_NOT_ALLOWED')
    expect(answer.headers['allow']).toContain('POST')
  })

  test.each(['filters=nonsense', 'metrics=a,,b', 'limit=-1', 'limit=ten', 'nonsense=1'])(
    'GET /query?%s: 400',
    async (search) => {
      const answer = await ask(`/api/v1/query?${search}`, { key })
      expectBadRequest(answer)
    },
  )

  test("keeps the client's request id, if it is harmless", async () => {
    const own = await ask('/health/live', { headers: { 'X-Request-Id': 'my-request_01' } })
    expect(own.headers['x-request-id']).toBe('my-request_01')
    const other = await ask('/health/live', { headers: { 'X-Request-Id': 'a b' } })
    expect(other.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
    expect(other.headers['x-request-id']).not.toBe('a b')
  })
})
