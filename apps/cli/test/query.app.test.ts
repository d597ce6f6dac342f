import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

/** More digits than a JavaScript number holds, and a final zero, which counts as well. */
const ANSWER = `{"data":[
  {"orders.region":"West","monthly_revenue":12345678901234567890.12345678901234567890},
  {"orders.region":"East, or so","monthly_revenue":0.10},
  {"orders.region":null,"monthly_revenue":null}],
  "execution_time_ms":4.2,"cached":false,
  "columns":[{"name":"orders.region","type":"string"},{"name":"monthly_revenue","type":"number"}]}`

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
  api.on('POST /api/v1/query', { status: 200, text: ANSWER })
})
afterEach(() => api.stop())

function run(...args: readonly string[]): Promise<Captured> {
  const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' }
  return runCaptured(args, { environment })
}

describe('query', () => {
  test('prints a table with every digit', async () => {
    expect(await run('query', 'monthly_revenue', '--by', 'orders.region')).toEqual({
      exitCode: 0,
      stdout: `orders.region                            monthly_revenue
-------------  -----------------------------------------
West           12345678901234567890.12345678901234567890
East, or so                                         0.10

3 rows
`,
      stderr: '',
    })
    expect(api.requests[0]?.body).toBe(
      '{"metrics":["monthly_revenue"],"dimensions":["orders.region"]}',
    )
  })

  test('prints CSV with every digit', async () => {
    const { stdout } = await run('query', 'monthly_revenue', '--format', 'csv')
    expect(stdout).toBe(`orders.region,monthly_revenue
West,12345678901234567890.12345678901234567890
"East, or so",0.10
,
`)
  })

  test.each([['--json'], ['--format=json']])('%s prints the whole answer', async (flag) => {
    const { stdout } = await run('query', 'monthly_revenue', flag)
    expect(stdout).toContain('"monthly_revenue": 12345678901234567890.12345678901234567890')
    expect(stdout).toContain('"monthly_revenue": 0.10')
    expect(JSON.parse(stdout)).toEqual(JSON.parse(ANSWER))
  })

  test('asks exactly what it was told to', async () => {
    await run(
      ...['query', 'revenue', 'orders.count', '--by', 'orders.region,orders.order_date.month'],
      ...['--where', 'orders.category inList Furniture,Technology', '--where', 'revenue > 1000.50'],
      ...['--order', 'revenue desc', '--order', 'orders.region', '--limit', '2', '--offset', '4'],
    )
    expect(api.requests[0]?.body).toBe(
      JSON.stringify({
        metrics: ['revenue', 'orders.count'],
        dimensions: ['orders.region', 'orders.order_date.month'],
        filters: [
          { dimension: 'orders.category', operator: 'inList', value: ['Furniture', 'Technology'] },
          { metric: 'revenue', operator: 'gt', value: 1000.5 },
        ],
        order_by: [
          { field: 'revenue', direction: 'desc' },
          { field: 'orders.region', direction: 'asc' },
        ],
        limit: 2,
        offset: 4,
      }).replace('1000.5', '1000.50'),
    )
  })

  test('of dimensions alone asks for their values', async () => {
    await run('query', '--by', 'orders.region')
    expect(api.requests[0]?.body).toBe('{"dimensions":["orders.region"]}')
  })

  test('says when the limit has cut the answer off', async () => {
    expect((await run('query', 'monthly_revenue', '--limit', '3')).stdout).toContain(
      '\n3 rows (the limit: there may be more)\n',
    )
  })

  test.each([
    [[], 'name a metric'],
    [['a', '--where', 'a.b equal 1'], 'did you mean equals?'],
    [['a', '--order', 'a.b downward'], "Expected 'member' or 'member desc'"],
    [['a', '--limit', '-1'], 'whole number'],
    [['a', '--limit', '1e3'], 'whole number'],
    [['a', '--format', 'xml'], 'table, json, csv'],
    [['a', '--format', 'csv', '--json'], 'exclude each other'],
  ])('%j is a usage error, and nothing is sent', async (args, message) => {
    const result = await run('query', ...args)
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain(message)
    expect(api.requests).toEqual([])
  })

  test('shows what the server found wrong and what was probably meant', async () => {
    const details = [
      { path: 'metrics[0]', message: 'there is no metric revenu', suggestion: 'revenue' },
      { path: 'dimensions[0]', message: 'there is no member orders.regoin' },
    ]
    const message = 'metrics[0]: there is no metric revenu (and 1 more)'
    api.on('POST /api/v1/query', {
      status: 400,
      text: JSON.stringify({ error: { code: 'INVALID_QUERY', message, details } }),
    })
    expect(await run('query', 'revenu', '--by', 'orders.regoin')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `error: ${message}
  metrics[0]: there is no metric revenu; did you mean revenue?
  dimensions[0]: there is no member orders.regoin
`,
    })
  })
})

describe('query --explain', () => {
  const explained = {
    decision: 'allowed',
    principal: { id: 'key_1', kind: 'api_key', email: null, roles: ['analyst'] },
    cubes: [
      {
        name: 'orders',
        policies: [
          {
            name: 'regional_access',
            serves: ['analyst'],
            filters_rows: true,
            attributes: ['region'],
            row_limit: null,
          },
        ],
      },
    ],
    masks: [{ member: 'customers.name', policy: 'names', mask: 'partial' }],
    joins: [{ from: 'orders', to: 'customers' }],
    cache: { state: 'kept', ttl_ms: 600_000, age_ms: 12_345 },
  }

  test('says what applies instead of asking', async () => {
    api.on('POST /api/v1/query/explain', { status: 200, text: JSON.stringify(explained) })
    const { stdout } = await run('query', 'revenue', '--explain')
    expect(stdout).toMatch(/orders +regional_access +analyst +some +\$user\.region/)
    expect(stdout).toContain('customers.name is masked by names: partial')
    expect(stdout).toContain('orders → customers')
    expect(stdout).toContain('kept, 12 s old, for 600 s each')
    expect(api.requests.at(-1)?.body).toBe('{"metrics":["revenue"]}')
  })

  test('--as-user asks it of somebody else, and shows why it is refused', async () => {
    const refused = { ...explained, decision: 'refused', denial_reason: 'x is hidden from usr_1' }
    api.on('POST /api/v1/query/explain', { status: 200, text: JSON.stringify(refused) })
    const { stdout } = await run('query', 'revenue', '--explain', '--as-user', 'ada@example.com')
    expect(stdout).toContain('x is hidden from usr_1')
    expect(api.requests.at(-1)?.body).toContain('"as_user":"ada@example.com"')
  })

  test('--as-user without --explain is a usage error', async () => {
    expect((await run('query', 'revenue', '--as-user', 'ada@example.com')).exitCode).toBe(2)
  })
})

describe('meta', () => {
  test('cubes lists members as a query names them', async () => {
    const measure = {
      name: 'count',
      cube: 'orders',
      type: 'count',
      title: 'Count',
      description: null,
    }
    const dimension = { name: 'region', type: 'string', description: 'Sales region' }
    const cubes = [{ name: 'orders', measures: [measure], dimensions: [dimension], joins: [] }]
    api.on('GET /api/v1/query/meta/cubes', { status: 200, text: JSON.stringify({ cubes }) })
    expect((await run('meta', 'cubes')).stdout).toBe(`member         kind       type    description
-------------  ---------  ------  ------------
orders.region  dimension  string  Sales region
orders.count   measure    count   Count
`)
    expect(JSON.parse((await run('meta', 'cubes', '--json')).stdout)).toEqual({ cubes })
  })

  test('metrics lists the metrics', async () => {
    const metrics = [{ name: 'revenue', type: 'simple', description: 'Sum of sales' }]
    api.on('GET /api/v1/query/meta/metrics', { status: 200, text: JSON.stringify({ metrics }) })
    expect((await run('meta', 'metrics')).stdout).toBe(`metric   type    description
-------  ------  ------------
revenue  simple  Sum of sales
`)
  })
})
