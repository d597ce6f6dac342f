import { beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { olytixCore } from './harness/cli.js'
import { expectRefusal } from './harness/errors.js'
import { ask, createKey } from './harness/http.js'

const text = z.string().nullable()
const measure = z.looseObject({
  name: z.string(),
  cube: z.string(),
  type: z.enum(['count', 'count_distinct', 'sum', 'avg', 'min', 'max', 'median', 'number']),
  title: text,
  description: text,
  format: text,
  drill_members: z.array(z.string()),
})
const dimension = z.looseObject({
  name: z.string(),
  cube: z.string(),
  type: z.enum(['string', 'number', 'boolean', 'time']),
  title: text,
  description: text,
  primary_key: z.boolean(),
  granularities: z.array(z.string()),
})
const cube = z.looseObject({
  name: z.string(),
  title: text,
  description: text,
  measures: z.array(measure),
  dimensions: z.array(dimension),
  segments: z.array(z.unknown()),
  joins: z.array(z.unknown()),
})
const cubeList = z.strictObject({ cubes: z.array(cube) })

let key: string
beforeAll(async () => {
  ;({ key } = await createKey())
})

describe('GET /query/meta/cubes', () => {
  test('lists cubes with their members in the documented shape', async () => {
    const answer = await ask('/api/v1/query/meta/cubes', { key })
    expect(answer.status).toBe(200)
    const { cubes } = cubeList.parse(JSON.parse(answer.text))
    expect(cubes.map(({ name }) => name).toSorted()).toEqual(['customers', 'orders', 'products'])
    const orders = cubes.find(({ name }) => name === 'orders')
    expect(orders?.measures.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['count', 'order_count', 'total_revenue']),
    )
    const date = orders?.dimensions.find(({ name }) => name === 'order_date')
    expect(date).toMatchObject({ cube: 'orders', type: 'time' })
    expect(date?.granularities).toEqual(expect.arrayContaining(['day', 'month', 'year']))
  })

  test('gives one cube by name, and 404 for a name there is not', async () => {
    const one = await ask('/api/v1/query/meta/cubes/orders', { key })
    expect(cube.parse(JSON.parse(one.text)).name).toBe('orders')
    expectRefusal(await ask('/api/v1/query/meta/cubes/oders', { key }), 404, 'NOT_FOUND')
  })

  test('is what the CLI shows', async () => {
    const { stdout, exitCode } = await olytixCore(['meta', 'cubes'], { key })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^orders\.order_date +dimension +time\b/m)
    expect(stdout).toMatch(/^orders\.count +measure +count\b/m)
  })
})

describe('GET /query/meta/metrics', () => {
  test('lists the metrics that a query may name', async () => {
    const { stdout } = await olytixCore(['meta', 'metrics', '--json'], { key })
    const { metrics } = z
      .object({ metrics: z.array(z.looseObject({ name: z.string(), type: z.string() })) })
      .parse(JSON.parse(stdout))
    expect(metrics.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'average_order_value',
        'monthly_revenue',
        'profit_margin',
        'total_revenue',
      ]),
    )
  })
})

describe('GET /auth/me', () => {
  test('says who a key is', async () => {
    const west = await createKey({ roles: ['analyst'], attributes: { region: 'West', level: 3 } })
    const answer = await ask('/api/v1/auth/me', { key: west.key })
    expect(JSON.parse(answer.text)).toEqual({
      id: west.id,
      kind: 'api_key',
      email: null,
      name: 'e2e',
      roles: ['analyst'],
      scopes: ['read'],
      attributes: { region: 'West', level: 3 },
      expires_at: expect.stringMatching(/T00:00:00(\.000)?Z$/),
    })
  })
})

describe('health', () => {
  test.each(['/health/live', '/health/ready'])('%s needs no credential', async (path) => {
    expect((await ask(path)).status).toBe(200)
  })
})
