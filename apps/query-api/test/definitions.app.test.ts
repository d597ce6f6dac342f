import { aPrincipal } from '@olytix/auth-guards/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { type DefinitionsStack, startDefinitionsStack } from './definitions-app.js'

const PRINCIPALS = {
  reader: aPrincipal({ id: 'key_reader', roles: ['viewer'] }),
  writer: aPrincipal({ id: 'key_writer', roles: ['developer'], scopes: ['write'] }),
  outsider: aPrincipal({ id: 'key_outsider', roles: [], scopes: ['write'] }),
  admin: aPrincipal({ id: 'usr_admin', roles: ['admin'], scopes: ['read', 'write', 'admin'] }),
}
type Who = keyof typeof PRINCIPALS

let stack: DefinitionsStack
let origin: string
let orders: string

beforeAll(async () => {
  stack = await startDefinitionsStack(PRINCIPALS)
  origin = await stack.startReplica()
  orders = await textOf('cubes/orders')
})

afterAll(() => stack.stop())

interface Call {
  readonly who?: Who
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

function call(path: string, { who = 'writer', method = 'GET', body, headers }: Call = {}) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  return fetch(`${origin}/api/v1/definitions${path && `/${path}`}`, {
    method,
    headers: { authorization: `Bearer ${who}`, ...json, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

const put = (path: string, text: string, more: Call = {}) =>
  call(path, { method: 'PUT', body: { text }, ...more })

async function textOf(path: string, who: Who = 'admin'): Promise<string> {
  const answer = await (await call(path, { who })).json()
  return z.object({ text: z.string() }).parse(answer).text
}

async function statusOf(metric: string, at = origin): Promise<number> {
  const response = await fetch(`${at}/api/v1/query?metrics=${metric}`, {
    headers: { authorization: 'Bearer reader' },
  })
  return response.status
}

const METRIC = '{name: twice, type: simple, expression: orders.total_revenue}'

describe('GET', () => {
  test('lists definitions of a kind, with where they stand', async () => {
    const { definitions } = z
      .object({ definitions: z.array(z.looseObject({ name: z.string() })) })
      .parse(await (await call('cubes')).json())
    expect(definitions).toContainEqual({
      kind: 'cubes',
      name: 'orders',
      path: 'cubes/orders.yml',
      edited: false,
      revision: 1,
      changed_at: expect.any(String),
      changed_by: null,
    })
  })

  test('of one has its text as it stands in the file, and its ETag', async () => {
    const response = await call('cubes/customers')
    expect(response.headers.get('etag')).toBe('"1"')
    expect(await response.json()).toMatchObject({
      text: expect.stringMatching(/^name: customers\ntitle: Customers\n/),
      redacted: false,
    })
  })

  test('hides the text from whom something in it is closed to', async () => {
    for (const path of ['cubes/orders', 'metrics/total_revenue']) {
      const answer = await (await call(path, { who: 'outsider' })).json()
      expect(answer).toMatchObject({ text: null, redacted: true })
    }
  })

  test('of a policy is not for this door', async () => {
    expect((await call('policies')).status).toBe(400)
    expect((await call('policies/regional_access', { who: 'admin' })).status).toBe(400)
  })
})

describe('PUT', () => {
  test('makes a metric that the next question may ask for, on every replica', async () => {
    const other = await stack.startReplica()
    expect(await statusOf('twice')).toBe(400)
    expect((await put('metrics/twice', METRIC)).status).toBe(201)
    expect(await statusOf('twice')).toBe(200)
    const deadline = Date.now() + 1_000
    while ((await statusOf('twice', other)) !== 200) expect(Date.now()).toBeLessThan(deadline)
  })

  test('that does not compile is 422 with file and line, and changes nothing', async () => {
    const response = await put('metrics/twice', 'name: twice\ntype: simple\nexpression: orders.x\n')
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      error: { code: 'INVALID_PROJECT', details: [{ path: 'metrics/twice', line: 3 }] },
    })
    expect(await statusOf('twice')).toBe(200)
  })

  test('that takes away what a policy needs tells a writer nothing of the policy', async () => {
    const response = await put('cubes/customers', 'name: customers\nsql_table: raw.orders\n')
    expect(response.status).toBe(422)
    const text = await response.text()
    expect(text).toContain('a policy or mask needs what this change takes away')
    expect(text).not.toMatch(/regional|regions.yml/)
  })

  test.each([' ', 'a/b', 'x.y', '__proto__ '])('of the name %j is 400', async (name) => {
    expect((await put(`metrics/${encodeURIComponent(name)}`, METRIC)).status).toBe(400)
  })

  test.each([
    ['schema', 'name: more\nschema: ${HOME}\ntables: [{name: x}]\n', 2],
    ['table', 'name: more\ntables: [{name: "a_${HOME}"}]\n', 2],
  ])('of a source whose %s is to come from the environment is 422', async (_, text, line) => {
    const response = await put('sources/more', text, { who: 'admin' })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      error: {
        details: [
          {
            path: 'sources/more',
            line,
            message: '${NAME} is replaced in the files of the project folder only',
          },
        ],
      },
    })
  })

  test('of an older state is 412', async () => {
    const headers = { 'if-match': '"1"' }
    expect((await put('metrics/twice', METRIC.replace('twice', 'twice'), { headers })).status).toBe(
      412,
    )
  })
})

describe('what policies rest on', () => {
  test.each([
    ['what a cube with policies reads', 'sql_table: raw.orders', 'sql: SELECT'],
    [
      'how it is joined',
      '{CUBE}.customer_id = {customers}.customer_id',
      '{CUBE}.customer_id is null',
    ],
  ])('is for admins to change: %s', async (_, before, after) => {
    const select = `"select * from {{ source('raw', 'orders') }}"`
    const text = orders.replace(before, after.replace('SELECT', select))
    expect(text).not.toBe(orders)
    const response = await put('cubes/orders', text)
    expect(response.status).toBe(403)
    expect(await textOf('cubes/orders')).toBe(orders)
    expect((await put('cubes/orders', text, { who: 'admin' })).status).toBe(200)
    expect((await put('cubes/orders', orders)).status).toBe(403)
    expect((await put('cubes/orders', orders, { who: 'admin' })).status).toBe(200)
  })

  test('does not keep a writer from adding a measure', async () => {
    const text = orders.replace(/^measures:\n/m, 'measures:\n  - { name: added, type: count }\n')
    expect((await put('cubes/orders', text)).status).toBe(200)
    expect(await statusOf('orders.added')).toBe(200)
  })
})

describe('a cube that others extend', () => {
  const parent = (measure: string) => `
name: base_days
sql: select 1 as id
measures: [{name: ${measure}, type: count}]`
  const at = 'cubes/base_days'

  test('changes them with it, and cannot go without them', async () => {
    expect((await put(at, parent('one'))).status).toBe(201)
    expect((await put('cubes/heirs', 'name: heirs\nextends: base_days')).status).toBe(201)
    expect(await statusOf('heirs.one')).toBe(200)
    expect((await put(at, parent('two'))).status).toBe(200)
    expect(await statusOf('heirs.one')).toBe(400)
    expect(await statusOf('heirs.two')).toBe(200)
    const refusal = await call(at, { method: 'DELETE' })
    expect(refusal.status).toBe(422)
    expect(await refusal.json()).toMatchObject({
      error: { details: [{ path: 'cubes/heirs', message: 'unknown cube "base_days"' }] },
    })
    expect(await statusOf('heirs.two')).toBe(200)
  })
})

describe('revisions', () => {
  const METRIC_PATH = 'metrics/seen_change'
  const newest = async (): Promise<number> => {
    const { revisions } = z
      .object({ revisions: z.array(z.object({ revision: z.number() })) })
      .parse(await (await call('revisions')).json())
    return revisions[0]?.revision ?? 0
  }

  test('of a change says what it changed, who made it, and how', async () => {
    await put(METRIC_PATH, METRIC.replace('twice', 'seen_change'))
    await put(METRIC_PATH, METRIC.replace('twice', 'seen_change, description: said'))
    const made = await newest()
    const path = `revisions/${String(made)}`
    expect(await (await call(path)).json()).toEqual({
      revision: made,
      summary: 'put metrics/seen_change',
      created_at: expect.any(String),
      created_by: { id: 'key_writer', email: null },
      changes: [{ kind: 'metrics', name: 'seen_change', change: 'updated' }],
    })
    expect(await (await call(`${path}/diff`)).json()).toEqual({
      revision: made,
      from: made - 1,
      diffs: [
        {
          kind: 'metrics',
          name: 'seen_change',
          change: 'updated',
          diff: expect.stringContaining('\n+{name: seen_change, description: said,'),
          redacted: false,
        },
      ],
    })
    const answer = await (await call(`${path}/diff?from=${String(made - 2)}`)).json()
    expect(answer).toMatchObject({ diffs: [{ change: 'created', name: 'seen_change' }] })
  })

  test('hide how a definition differs from whom something in it is closed to', async () => {
    const closed = { diff: null, redacted: true }
    const answer = await (await call('revisions/1/diff', { who: 'outsider' })).json()
    const { diffs } = z.object({ diffs: z.array(z.unknown()) }).parse(answer)
    expect(diffs).toContainEqual({ kind: 'cubes', name: 'orders', change: 'created', ...closed })
  })

  test('never show policies here', async () => {
    const text = await (await call('revisions/1/diff?from=0', { who: 'admin' })).text()
    expect(text).toContain('cubes/orders')
    expect(text).not.toContain('regional_access')
  })

  test.each(['revisions/0', 'revisions/x', 'revisions/99999', 'revisions/99999/diff'])(
    '%s is 404',
    async (path) => {
      expect((await call(path)).status).toBe(404)
    },
  )

  test.each(['99999', '99998'])('compared with %s, which never was, are 404', async (from) => {
    expect((await call(`revisions/1/diff?from=${from}`)).status).toBe(404)
  })

  test('compared with nonsense are 400', async () => {
    expect((await call('revisions/1/diff?from=x')).status).toBe(400)
  })
})

describe('DELETE and restore', () => {
  test('what was deleted is gone, has its history, and comes back', async () => {
    await put('metrics/brief', METRIC.replace('twice', 'brief'))
    const { revisions } = z
      .object({ revisions: z.array(z.looseObject({ revision: z.number() })) })
      .parse(await (await call('revisions')).json())
    expect(revisions[0]).toMatchObject({
      summary: 'put metrics/brief',
      created_by: { id: 'key_writer' },
    })
    expect((await call('metrics/brief', { method: 'DELETE' })).status).toBe(204)
    expect(await statusOf('brief')).toBe(400)
    const history = await (await call('metrics/brief/history', { who: 'admin' })).json()
    expect(history).toMatchObject({ versions: [{ change: 'deleted' }, { change: 'created' }] })
    const newest = String(revisions[0]?.revision)
    expect((await call(`revisions/${newest}/restore`, { method: 'POST' })).status).toBe(200)
    expect(await statusOf('brief')).toBe(200)
  })

  test('a writer who restores brings no old policy back', async () => {
    const policies = `${origin}/api/v1/policies/products_all_regions`
    const headers = { authorization: 'Bearer admin' }
    await fetch(policies, { method: 'DELETE', headers })
    const response = await call('revisions/1/restore', { method: 'POST' })
    expect(response.status).toBe(200)
    expect((await fetch(policies, { headers })).status).toBe(404)
    expect(await statusOf('twice')).toBe(400)
  })

  test('a revision that never was is 404', async () => {
    expect((await call('revisions/99999/restore', { method: 'POST' })).status).toBe(404)
  })
})

describe('POST /unified', () => {
  const unified = (verb: string, body: unknown, who: Who = 'writer') =>
    fetch(`${origin}/api/v1/unified/${verb}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${who}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  test('compile counts what the folder defines, and changes nothing', async () => {
    const response = await unified('compile', { strict: false })
    expect(await response.json()).toEqual({
      success: true,
      project_name: 'superstore',
      source_count: 1,
      model_count: 0,
      cube_count: 3,
      metric_count: expect.any(Number),
      graph_nodes: expect.any(Number),
      graph_edges: expect.any(Number),
      errors: [],
      warnings: expect.any(Array),
      load_time_ms: expect.any(Number),
    })
  })

  test('load of a folder that has not changed succeeds', async () => {
    expect(await (await unified('load', {})).json()).toMatchObject({ success: true, errors: [] })
  })

  test.each(['..', '/etc', 'cubes/../../..', 'no_such_folder', '../superstore2'])(
    'of %s, outside of the project folder, is 400',
    async (path) => {
      expect((await unified('load', { project_path: path })).status).toBe(400)
    },
  )

  test('of a folder without a project says so', async () => {
    const answer = await (await unified('compile', { project_path: 'cubes' })).json()
    expect(answer).toMatchObject({ success: false, errors: [{ path: 'olytix-core_project.yml' }] })
  })

  test('is not for a reader', async () => {
    expect((await unified('load', {}, 'reader')).status).toBe(403)
    expect((await unified('compile', {}, 'reader')).status).toBe(403)
  })
})

describe('without the scope write', () => {
  const ROUTES: [string, Call][] = [
    ['', {}],
    ['cubes', {}],
    ['cubes/orders', {}],
    ['cubes/nothing', {}],
    ['cubes/orders/history', {}],
    ['revisions', {}],
    ['revisions/1', {}],
    ['revisions/1/diff', {}],
    ['revisions/1/restore', { method: 'POST' }],
    ['metrics/x', { method: 'PUT', body: { text: METRIC } }],
    ['metrics/x', { method: 'PUT', body: { nonsense: 1 } }],
    ['metrics/twice', { method: 'DELETE' }],
  ]

  test('a reader gets the same 403 at every door', async () => {
    const answers = await Promise.all(
      ROUTES.map(([path, options]) => call(path, { ...options, who: 'reader' })),
    )
    expect(answers.map(({ status }) => status)).toEqual(ROUTES.map(() => 403))
    const bodies = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(bodies).size).toBe(1)
  })
})
