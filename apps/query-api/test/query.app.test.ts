import { aPrincipal } from '@olytix/auth-guards/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type QueryApp, startQueryApp } from './query-app.js'
import { startSuperstore, type Superstore } from './superstore.js'

const PRINCIPALS = {
  all: aPrincipal({ id: 'key_all', roles: ['viewer'] }),
  west: aPrincipal({ id: 'key_west', roles: ['analyst'], attributes: { region: 'West' } }),
  nobody: aPrincipal({ id: 'key_nobody', roles: [] }),
  admin: aPrincipal({ id: 'key_admin', roles: ['admin'], scopes: ['read', 'write', 'admin'] }),
}

type Who = keyof typeof PRINCIPALS

let superstore: Superstore
let app: QueryApp
let url: string

beforeAll(async () => {
  superstore = await startSuperstore()
  app = await startQueryApp(superstore, PRINCIPALS)
  url = app.url
})

afterAll(async () => {
  await app.close()
  await superstore.stop()
})

interface Reply {
  readonly status: number
  readonly text: string
  readonly json: Record<string, unknown>
}

async function send(path: string, who: Who, init: RequestInit = {}): Promise<Reply> {
  const headers = { authorization: `Bearer ${who}`, 'content-type': 'application/json' }
  const response = await fetch(url + path, { ...init, headers })
  const text = await response.text()
  return { status: response.status, text, json: JSON.parse(text) as Reply['json'] }
}

const post = (body: unknown, who: Who = 'all', path = ''): Promise<Reply> =>
  send(path, who, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

const get = (path: string, who: Who = 'all'): Promise<Reply> => send(path, who)

describe('POST /query: 200', () => {
  test('48 months of revenue that add up to all sales', async () => {
    const { status, json } = await post({ metrics: ['monthly_revenue'] })
    const data = json['data'] as Record<string, number>[]
    expect(status).toBe(200)
    expect(data).toHaveLength(48)
    expect(data[0]).toEqual({ 'orders.order_date.month': '2014-01', monthly_revenue: 14236.895 })
    const sum = data.reduce((total, row) => total + (row['monthly_revenue'] ?? 0), 0)
    expect(sum).toBeCloseTo(2297200.8603, 4)
  })

  test('totals and the number of rows are of all rows, whatever the limit', async () => {
    const { json } = await post({
      metrics: ['orders.order_count', 'total_revenue'],
      dimensions: ['orders.region'],
      limit: 1,
      totals: true,
      total_rows: true,
    })
    expect(json['data']).toHaveLength(1)
    expect(json['total_rows']).toBe(4)
    expect(json['totals']).toMatchObject({
      'orders.order_count': 5009,
      total_revenue: 2297200.8603,
    })
  })

  test('totals of a question without metrics are empty', async () => {
    const { status, json } = await post({ dimensions: ['orders.region'], totals: true })
    expect([status, json['totals']]).toEqual([200, {}])
  })

  test('the answer has the documented shape, and numbers have every digit', async () => {
    const { text } = await post(
      { metrics: ['total_revenue'], dimensions: ['orders.region'] },
      'west',
    )
    expect(text).toMatch(
      /^\{"data":\[\{"orders\.region":"West","total_revenue":725457\.8245\}\],"columns":\[.*\],"execution_time_ms":\d+(\.\d)?,"cached":false\}$/,
    )
    const columns = (JSON.parse(text) as { columns: unknown }).columns
    expect(columns).toEqual([
      { name: 'orders.region', type: 'string', title: 'Region', format: null },
      { name: 'total_revenue', type: 'number', title: 'Total revenue', format: 'currency' },
    ])
  })

  test('a West-only principal sees no row of another region, whatever it asks', async () => {
    for (const cube of ['orders', 'customers', 'products']) {
      const { json } = await post({ dimensions: [`${cube}.region`] }, 'west')
      expect(json['data']).toEqual([{ [`${cube}.region`]: 'West' }])
    }
    const filters = [{ dimension: 'orders.region', operator: 'equals', value: 'East' }]
    const { json } = await post({ metrics: ['orders.count', 'total_revenue'], filters }, 'west')
    expect(json['data']).toEqual([{ 'orders.count': 0, total_revenue: null }])
  })
})

describe('GET /query: 200', () => {
  test('is the same question', async () => {
    const filters = encodeURIComponent(
      '[{"dimension":"orders.order_date.year","operator":"equals","value":"2016"}]',
    )
    const path = `?metrics=total_revenue,orders.count&dimensions=orders.category&filters=${filters}&order_by=orders.count:desc&limit=2`
    const { json } = await get(path)
    expect(json['data']).toEqual([
      { 'orders.category': 'Office Supplies', total_revenue: 183939.982, 'orders.count': 1566 },
      { 'orders.category': 'Furniture', total_revenue: 198901.436, 'orders.count': 562 },
    ])
  })

  test('takes the key from the address, where it is no part of the question', async () => {
    const response = await fetch(`${url}?api_key=west&metrics=orders.count`)
    expect(await response.json()).toMatchObject({ data: [{ 'orders.count': 3203 }] })
  })

  test('without a question names the metrics that the caller may see', async () => {
    expect((await get('')).json).toMatchObject({
      data: [],
      hint: expect.stringContaining('monthly_revenue'),
    })
    expect((await get('', 'nobody')).json).toMatchObject({
      data: [],
      hint: 'No metric is visible to you',
    })
  })
})

describe('bad input: 400', () => {
  const leaf = { dimension: 'orders.region', operator: 'equals', value: 'West' }
  const nested = (depth: number): unknown => (depth === 0 ? leaf : { and: [nested(depth - 1)] })

  test.each<[string, unknown, string, string]>([
    ['an unknown key', { metrcis: [] }, 'INVALID_REQUEST', 'metrcis'],
    ['no object', [], 'INVALID_REQUEST', ''],
    ['a text', '"x"', 'INVALID_REQUEST', ''],
    ['broken JSON', '{', 'INVALID_REQUEST', ''],
    ['a negative limit', { limit: -1 }, 'INVALID_REQUEST', 'limit'],
    ['half a row', { limit: 1.5 }, 'INVALID_REQUEST', 'limit'],
    ['a limit as text', { limit: '10' }, 'INVALID_REQUEST', 'limit'],
    ['a limit past the cap', { limit: 50_001 }, 'INVALID_REQUEST', 'limit'],
    ['an offset past 2^53', { offset: 2 ** 53 }, 'INVALID_REQUEST', 'offset'],
    [
      '51 metrics',
      { metrics: Array.from({ length: 51 }, () => 'orders.count') },
      'INVALID_REQUEST',
      'metrics',
    ],
    [
      '500 filters',
      { metrics: ['orders.count'], filters: Array.from({ length: 500 }, () => leaf) },
      'INVALID_REQUEST',
      'filters',
    ],
    ['17 levels', { filters: [nested(16)] }, 'INVALID_REQUEST', 'filters'],
    ['a thousand levels', { filters: [nested(1000)] }, 'INVALID_REQUEST', 'filters'],
    [
      '10,001 values',
      {
        filters: [
          { ...leaf, operator: 'inList', value: Array.from({ length: 10_001 }, () => 'x') },
        ],
      },
      'INVALID_REQUEST',
      'filters[0].value',
    ],
    [
      'NULL as a value',
      { filters: [{ ...leaf, value: null }] },
      'INVALID_REQUEST',
      'filters[0].value',
    ],
    [
      'NULL in a list',
      { filters: [{ ...leaf, operator: 'inList', value: ['a', null] }] },
      'INVALID_REQUEST',
      'filters[0].value[1]',
    ],
    [
      'an object as a value',
      { filters: [{ ...leaf, value: { toString: 'x' } }] },
      'INVALID_REQUEST',
      'filters[0].value',
    ],
    [
      'NUL in a value',
      { filters: [{ ...leaf, value: 'a\0' }] },
      'INVALID_REQUEST',
      'filters[0].value',
    ],
    [
      'half a surrogate pair',
      { filters: [{ ...leaf, value: 'a\ud800' }] },
      'INVALID_REQUEST',
      'filters[0].value',
    ],
    ['NUL in a name', { metrics: ['a\0'] }, 'INVALID_REQUEST', 'metrics[0]'],
    [
      'an unknown operator',
      { filters: [{ ...leaf, operator: 'like' }] },
      'INVALID_REQUEST',
      'filters[0].operator',
    ],
    ['an empty tree', { filters: [{ or: [] }] }, 'INVALID_REQUEST', 'filters[0].or'],
    [
      'dimension and metric at once',
      { filters: [{ ...leaf, metric: 'orders.count' }] },
      'INVALID_REQUEST',
      'filters[0]',
    ],
    ['nothing asked for', {}, 'INVALID_QUERY', 'metrics'],
    ['an unknown metric', { metrics: ['monthly_revenu'] }, 'INVALID_QUERY', 'metrics[0]'],
    [
      'a wrong type',
      { metrics: ['orders.count'], filters: [{ ...leaf, value: 5 }] },
      'INVALID_QUERY',
      'filters[0].value',
    ],
    [
      'a day that is none',
      {
        metrics: ['orders.count'],
        time_range: { dimension: 'orders.order_date', start: '2016-02-30', end: '2017' },
      },
      'INVALID_QUERY',
      'time_range.start',
    ],
    [
      'SQL as a name',
      { metrics: ['orders.count"; drop table raw.orders; --'] },
      'INVALID_QUERY',
      'metrics[0]',
    ],
  ])('%s', async (_, body, code, path) => {
    const { status, json } = await post(body)
    const error = json['error'] as { code: string; details?: { path: string }[] }
    expect([status, error.code]).toEqual([400, code])
    if (path !== '') expect(error.details?.map((detail) => detail.path)).toContain(path)
  })

  test('a near name is suggested, but none that is hidden', async () => {
    const ask = { metrics: ['monthly_revenu'] }
    expect((await post(ask)).text).toContain('"suggestion":"monthly_revenue"')
    expect((await post(ask, 'nobody')).text).not.toContain('suggestion')
  })

  test.each(['?metrics=a&metrics=b', '?filters={', '?limit=ten', '?metric=a'])(
    'GET %s',
    async (path) => {
      const { status, json } = await get(path)
      expect([status, (json['error'] as { code: string }).code]).toEqual([400, 'INVALID_REQUEST'])
    },
  )

  test('a body of 2 MB is 413', async () => {
    const { status, json } = await post({ metrics: ['x'.repeat(2 * 1024 * 1024)] })
    expect([status, (json['error'] as { code: string }).code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  test('whatever is sent, the answer is a documented one and tells nothing of the database', async () => {
    const value = fc.oneof(
      fc.anything({ maxDepth: 3, withNullPrototype: false }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '__proto__',
        'orders.count',
        'orders.region',
        'orders.order_date.month',
        -0,
        2 ** 53,
        '10',
        '2016',
      ),
    )
    const member = fc.constantFrom(
      'orders.region',
      'orders.sales',
      'orders.order_date',
      'orders.order_date.month',
      'orders.is_discounted',
      'customers.segment',
    )
    const operator = fc.constantFrom('equals', 'gt', 'between', 'inList', 'contains', 'notSet', 'x')
    const filter = fc.record({
      dimension: fc.oneof(member, value),
      operator,
      value: fc.oneof(value, fc.array(value)),
    })
    const body = fc.record(
      {
        metrics: fc.oneof(
          fc.array(fc.oneof(value, fc.constantFrom('total_revenue', 'customers.count'))),
          value,
        ),
        dimensions: fc.oneof(fc.array(fc.oneof(member, value)), value),
        filters: fc.oneof(fc.array(filter), value),
        order_by: value,
        limit: fc.oneof(fc.nat(10), value),
        timezone: fc.oneof(fc.constantFrom('Europe/Berlin', 'infinity'), value),
        time_range: value,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(body, async (asked) => {
        const { status, text } = await post(JSON.stringify(asked))
        expect([200, 400, 403]).toContain(status)
        expect(text).not.toMatch(/syntax error|operator does not exist|raw\.orders|invalid input/)
      }),
      { numRuns: 100 },
    )
  })
})

describe('403, one body for every cause', () => {
  test.each<[string, unknown, Who, string]>([
    ['no role that a policy serves', { metrics: ['total_revenue'] }, 'nobody', ''],
    ['hidden beside unknown', { metrics: ['total_revenue', 'x'] }, 'nobody', ''],
    ['statements are for admins', { metrics: ['total_revenue'] }, 'all', '/sql'],
    ['validation of what is hidden', { metrics: ['total_revenue'] }, 'nobody', '/validate'],
  ])('%s', async (_, body, who, path) => {
    const { status, text } = await post(body, who, path)
    expect(status).toBe(403)
    expect(text).toBe(
      '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}',
    )
  })
})

describe('beside the answer', () => {
  test('POST /query/validate tells all problems at once with 200', async () => {
    expect((await post({ metrics: ['total_revenue'] }, 'all', '/validate')).json).toEqual({
      valid: true,
    })
    const wrong = { metrics: ['total_revenu'], dimensions: ['orders.regoin'] }
    expect((await post(wrong, 'all', '/validate')).json).toEqual({
      valid: false,
      errors: [
        {
          path: 'metrics[0]',
          message: 'unknown metric "total_revenu"',
          suggestion: 'total_revenue',
        },
        {
          path: 'dimensions[0]',
          message: 'unknown dimension "orders.regoin"',
          suggestion: 'orders.region',
        },
      ],
    })
    const filled = { metrics: ['total_revenue'], fill: true }
    expect((await post(filled, 'all', '/validate')).json).toMatchObject({
      valid: false,
      errors: [{ path: 'fill' }],
    })
    expect((await post({ limit: -1 }, 'all', '/validate')).json).toMatchObject({ valid: false })
  })

  test('POST /query/sql shows an admin the statement and its parameters', async () => {
    const filters = [{ dimension: 'orders.city', operator: 'equals', value: "x'--" }]
    const { json } = await post({ metrics: ['orders.count'], filters }, 'admin', '/sql')
    expect(json['parameters']).toEqual(["x'--", '1000', '0'])
    expect(json['sql']).not.toContain("x'--")
  })

  test('GET /query/meta shows each caller only what they may see', async () => {
    const { json } = await get('/meta/cubes/orders')
    expect(Object.keys(json)).toEqual([
      'name',
      'title',
      'description',
      'measures',
      'dimensions',
      'segments',
      'joins',
    ])
    expect(json['measures']).toContainEqual({
      name: 'count',
      cube: 'orders',
      type: 'count',
      title: 'Order lines',
      description: '',
      format: null,
      drill_members: ['orders.order_id', 'orders.order_date', 'orders.sales'],
    })
    expect(json['dimensions']).toContainEqual({
      name: 'order_date',
      cube: 'orders',
      type: 'time',
      title: 'Order date',
      description: '',
      primary_key: false,
      granularities: ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'],
    })
    expect((await get('/meta/cubes')).json['cubes']).toHaveLength(3)
    expect((await get('/meta/metrics')).json['metrics']).toHaveLength(11)
    for (const kind of ['cubes', 'metrics', 'dimensions']) {
      expect((await get(`/meta/${kind}`, 'nobody')).json).toEqual({ [kind]: [] })
    }
    expect((await get('/meta/cubes/orders', 'nobody')).status).toBe(404)
    expect((await get('/meta/cubes/__proto__')).status).toBe(404)
  })
})
