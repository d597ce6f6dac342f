import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { z } from 'zod'
import { type DefinitionsStack, startDefinitionsStack } from './definitions-app.js'

const PRINCIPALS = {
  reader: aPrincipal({ id: 'key_reader', roles: ['viewer'] }),
  writer: aPrincipal({ id: 'key_writer', roles: ['viewer'], scopes: ['write'] }),
  outsider: aPrincipal({ id: 'key_outsider', roles: [] }),
  admin: aPrincipal({ id: 'usr_admin', roles: [], scopes: ['read', 'write', 'admin'] }),
}

let stack: DefinitionsStack
let origin: string
beforeAll(async () => {
  stack = await startDefinitionsStack(PRINCIPALS)
  origin = await stack.startReplica()
})
afterAll(() => stack.stop())

function post(path: string, who: keyof typeof PRINCIPALS) {
  const headers = { authorization: `Bearer ${who}` }
  return fetch(`${origin}/api/v1/${path}`, { method: 'POST', headers })
}

const impact = (id: string, who: keyof typeof PRINCIPALS, more = '') =>
  post(`lineage/impact?artifact_id=${encodeURIComponent(id)}${more}`, who)

const graph = z.strictObject({
  nodes: z.array(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      name: z.string(),
      parent: z.string().nullable(),
    }),
  ),
  edges: z.array(z.strictObject({ from: z.string(), to: z.string(), type: z.string() })),
})

test('a metric is followed down to columns of tables', async () => {
  const response = await post('unified/lineage/build', 'reader')
  expect(response.status).toBe(200)
  const { nodes, edges } = graph.parse(await response.json())
  expect(nodes).toContainEqual({
    id: 'column:raw.orders.sales',
    type: 'column',
    name: 'raw.orders.sales',
    parent: 'table:raw.orders',
  })
  expect(edges).toEqual(
    expect.arrayContaining([
      {
        from: 'column:raw.orders.sales',
        to: 'measure:orders.total_revenue',
        type: 'MEASURE_SOURCE',
      },
      { from: 'measure:orders.total_revenue', to: 'metric:total_revenue', type: 'METRIC_SOURCE' },
      { from: 'metric:total_revenue', to: 'metric:costs', type: 'METRIC_SOURCE' },
      { from: 'dimension:orders.category', to: 'metric:technology_revenue', type: 'FILTERED' },
      { from: 'column:raw.orders.customer_id', to: 'join:orders.customers', type: 'JOINED' },
    ]),
  )
})

test('impact says what a change of a column would touch, how far away and by which way', async () => {
  const response = await impact('column:raw.orders.profit', 'reader')
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({
    artifact_id: 'column:raw.orders.profit',
    impacted: expect.arrayContaining([
      {
        id: 'metric:profit_margin',
        type: 'metric',
        name: 'profit_margin',
        depth: 2,
        path: ['column:raw.orders.profit', 'measure:orders.total_profit', 'metric:profit_margin'],
      },
    ]),
  })
  const near = await (await impact('column:raw.orders.profit', 'reader', '&max_depth=1')).text()
  expect(near).toContain('measure:orders.total_profit')
  expect(near).not.toContain('metric:')
})

test('who may see no cube is told of nothing', async () => {
  const response = await post('unified/lineage/build', 'outsider')
  expect(await response.json()).toEqual({ nodes: [], edges: [] })
  const hidden = await impact('cube:orders', 'outsider')
  expect(hidden.status).toBe(400)
  expect(await hidden.text()).not.toContain('suggestion')
})

test('an unknown id is refused with the nearest that the caller may see', async () => {
  const response = await impact('metric:total_revenu', 'reader')
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    error: {
      code: 'INVALID_REQUEST',
      details: [{ path: 'artifact_id', suggestion: 'metric:total_revenue' }],
    },
  })
})

test.each(['', '&max_depth=0', '&max_depth=x'])('a bad question is refused: %j', async (more) => {
  const path = more === '' ? 'lineage/impact' : `lineage/impact?artifact_id=cube:orders${more}`
  expect((await post(path, 'reader')).status).toBe(400)
})

test('an admin is told of all of it', async () => {
  const { nodes } = graph.parse(await (await post('unified/lineage/build', 'admin')).json())
  expect(nodes.map(({ id }) => id)).toContain('metric:total_revenue')
})

test('a key without read is refused', async () => {
  expect((await post('unified/lineage/build', 'writer')).status).toBe(403)
  expect((await impact('cube:orders', 'writer')).status).toBe(403)
})
