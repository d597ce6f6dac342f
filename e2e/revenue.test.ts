import { beforeAll, describe, expect, test } from '@jest/globals'
import { olytixCore } from './harness/cli.js'
import { ask, createKey, query, rows } from './harness/http.js'

/** The Superstore's own sums, taken from its CSV with decimal arithmetic. */
const TOTAL = '2297200.8603'

let key: string
beforeAll(async () => {
  ;({ key } = await createKey())
})

/** Adds decimals exactly, as text: `JSON.parse` would round the digits that this is about. */
function sumOf(text: string, member: string): string {
  const amounts = [...text.matchAll(new RegExp(`"${member}":\\s*(-?\\d+)(?:\\.(\\d+))?`, 'g'))]
  const places = 10
  const sum = amounts.reduce(
    (total, [, whole = '', fraction = '']) => total + BigInt(whole + fraction.padEnd(places, '0')),
    0n,
  )
  const digits = sum.toString().padStart(places + 1, '0')
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/0+$/, '')
}

describe('monthly_revenue', () => {
  test('answers 48 months that add up, digit by digit, to all sales', async () => {
    const answer = await query(key, { metrics: ['monthly_revenue'] })
    expect(sumOf(answer.text, 'monthly_revenue')).toBe(TOTAL)
    expect(Number(TOTAL).toFixed(2)).toBe('2297200.86')

    const months = (await rows(key, { metrics: ['monthly_revenue'] })).map(
      (row) => row['orders.order_date.month'],
    )
    const all = [2014, 2015, 2016, 2017].flatMap((year) =>
      Array.from({ length: 12 }, (_, at) => `${String(year)}-${String(at + 1).padStart(2, '0')}`),
    )
    expect(months).toEqual(all)
  })

  test('is the same from the command line, in every format', async () => {
    const csv = await olytixCore(['query', 'monthly_revenue', '--format', 'csv'], { key })
    expect(csv.exitCode).toBe(0)
    const [head, ...lines] = csv.stdout.trimEnd().split('\n')
    expect(head).toBe('orders.order_date.month,monthly_revenue')
    expect(lines[0]).toBe('2014-01,14236.895')
    expect(sumOf(lines.map((line) => `"m":${String(line.split(',')[1])}`).join(), 'm')).toBe(TOTAL)

    const json = await olytixCore(['query', 'monthly_revenue', '--json'], { key })
    expect(sumOf(json.stdout, 'monthly_revenue')).toBe(TOTAL)

    const table = await olytixCore(['query', 'monthly_revenue'], { key })
    expect(table.stdout).toMatch(
      /^orders\.order_date\.month {2}monthly_revenue\n-+ {2}-+\n2014-01 /,
    )
    expect(table.stdout).toMatch(/\n48 rows\n$/)
  })
})

describe('a query', () => {
  test('answers in the documented shape', async () => {
    const answer = await query(key, { metrics: ['total_revenue'], dimensions: ['orders.region'] })
    expect(JSON.parse(answer.text)).toEqual({
      data: [
        { 'orders.region': 'Central', total_revenue: 501239.8908 },
        { 'orders.region': 'East', total_revenue: 678781.24 },
        { 'orders.region': 'South', total_revenue: 391721.905 },
        { 'orders.region': 'West', total_revenue: 725457.8245 },
      ],
      execution_time_ms: expect.any(Number),
      cached: false,
      columns: [
        expect.objectContaining({ name: 'orders.region', type: 'string' }),
        expect.objectContaining({ name: 'total_revenue', type: 'number' }),
      ],
    })
  })

  test('counts order lines and distinct orders', async () => {
    expect(await rows(key, { metrics: ['orders.count', 'orders.order_count'] })).toEqual([
      { 'orders.count': 9994, 'orders.order_count': 5009 },
    ])
  })

  test('orders, limits and leaves out', async () => {
    const body = {
      metrics: ['total_revenue'],
      dimensions: ['orders.region'],
      order_by: [{ field: 'total_revenue', direction: 'desc' }],
    }
    const regions = async (more: object): Promise<unknown[]> =>
      (await rows(key, { ...body, ...more })).map((row) => row['orders.region'])
    expect(await regions({})).toEqual(['West', 'East', 'Central', 'South'])
    expect(await regions({ limit: 2, offset: 1 })).toEqual(['East', 'Central'])
    expect(await regions({ limit: 0 })).toEqual([])
  })

  test('of dimensions alone gives their values once', async () => {
    const body = { dimensions: ['orders.category'] }
    expect(await rows(key, body)).toEqual(
      ['Furniture', 'Office Supplies', 'Technology'].map((name) => ({ 'orders.category': name })),
    )
  })

  test('joins other cubes', async () => {
    const body = { metrics: ['orders.count'], dimensions: ['customers.segment'] }
    const counts = (await rows(key, body)).map((row) => row['orders.count'])
    expect(counts).toHaveLength(3)
    expect(counts.reduce<number>((sum, count) => sum + Number(count), 0)).toBe(9994)
  })

  // Every documented operator, with the lines that the CSV has.
  test.each([
    ['orders.region', 'equals', 'West', 3203],
    ['orders.region', 'notEquals', 'West', 6791],
    ['orders.category', 'contains', 'TECH', 1847],
    ['orders.category', 'notContains', 'tech', 8147],
    ['orders.ship_mode', 'startsWith', 'second', 1945],
    ['orders.ship_mode', 'endsWith', 'CLASS', 9451],
    ['orders.order_date', 'gt', '2016-12-31', 3312],
    ['orders.order_date', 'gte', '2017-12-30', 7],
    ['orders.order_date', 'lt', '2014-01-06', 5],
    ['orders.order_date', 'lte', '2014-01-06', 14],
    ['orders.order_date', 'between', ['2016-01-01', '2016-12-31'], 2587],
    ['orders.region', 'inList', ['West', 'South'], 4823],
    ['orders.region', 'notInList', ['West', 'South'], 5171],
    ['orders.region', 'set', undefined, 9994],
    ['orders.region', 'notSet', undefined, 0],
    ['orders.sub_category', 'contains', '%', 0],
    ['orders.region', 'equals', "West' or '1'='1", 0],
  ])('%s %s %j finds its lines', async (dimension, operator, value, count) => {
    const filters = [{ dimension, operator, ...(value === undefined ? {} : { value }) }]
    expect(await rows(key, { metrics: ['orders.count'], filters })).toEqual([
      { 'orders.count': count },
    ])
  })

  test('is the same as GET and from the command line', async () => {
    const body = {
      metrics: ['orders.count', 'total_revenue'],
      dimensions: ['orders.category'],
      filters: [{ dimension: 'orders.region', operator: 'equals', value: 'West' }],
      limit: 2,
    }
    const posted = await rows(key, body)
    expect(posted).toHaveLength(2)

    const search = new URLSearchParams({
      metrics: body.metrics.join(','),
      dimensions: body.dimensions.join(','),
      filters: JSON.stringify(body.filters),
      limit: '2',
    })
    const got = await ask(`/api/v1/query?${search.toString()}`, { key })
    expect(JSON.parse(got.text)).toMatchObject({ data: posted })

    const where = ['--where', 'orders.region equals West', '--limit', '2', '--json']
    const args = ['query', ...body.metrics, '--by', 'orders.category', ...where]
    const { stdout } = await olytixCore(args, { key })
    expect(JSON.parse(stdout)).toMatchObject({ data: posted })
  })
})
