import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, sql } from '@olytix/postgres'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { type DefinitionsStack, startDefinitionsStack } from './definitions-app.js'

const PRINCIPALS = {
  west: aPrincipal({ id: 'key_west', roles: ['analyst'], attributes: { region: 'West' } }),
  writer: aPrincipal({ id: 'key_writer', roles: ['developer'], scopes: ['write'] }),
  admin: aPrincipal({
    id: 'usr_admin',
    email: 'admin@example.com',
    roles: ['admin'],
    scopes: ['read', 'write', 'admin'],
  }),
}
type Who = keyof typeof PRINCIPALS

const EAST_TOO = { cube: 'orders', roles: ['analyst'], filter: "region in ('West', 'East')" }
const WEST = { cube: 'orders', roles: ['analyst'], filter: 'region = $user.region' }

let stack: DefinitionsStack
let origin: string
let owner: Database

beforeAll(async () => {
  stack = await startDefinitionsStack(PRINCIPALS)
  origin = await stack.startReplica()
  owner = new Database({ url: stack.testDatabase.ownerUrl, maxConnections: 1 })
})

afterAll(async () => {
  await owner.close()
  await stack.stop()
})

interface Call {
  readonly who?: Who
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

function call(path: string, { who = 'admin', method = 'GET', body, headers }: Call = {}) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  return fetch(`${origin}/api/v1/policies${path}`, {
    method,
    headers: { authorization: `Bearer ${who}`, ...json, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

const put = (name: string, body: unknown, headers?: Record<string, string>) =>
  call(`/${name}`, { method: 'PUT', body, ...(headers && { headers }) })

async function regionsOf(who: Who, at = origin): Promise<string[]> {
  const response = await fetch(`${at}/api/v1/query?dimensions=orders.region`, {
    headers: { authorization: `Bearer ${who}` },
  })
  const { data } = z
    .object({ data: z.array(z.object({ 'orders.region': z.string() })) })
    .parse(await response.json())
  return data.map((row) => row['orders.region'])
}

async function eventsOf(name: string): Promise<Record<string, unknown>[]> {
  const shape = z.record(z.string(), z.unknown())
  return owner.many(shape, sql`select * from audit_events where subject = ${name} order by id`)
}

const errorOf = async (response: Response) =>
  z
    .object({ error: z.looseObject({ details: z.array(z.looseObject({})).optional() }) })
    .parse(await response.json()).error

describe('GET', () => {
  test('lists the policies of the folder', async () => {
    const { policies } = z
      .object({ policies: z.array(z.looseObject({ name: z.string() })) })
      .parse(await (await call('')).json())
    expect(policies).toContainEqual({
      name: 'regional_access',
      kind: 'rows',
      policy: { name: 'regional_access', exclude_members: [], ...WEST },
      path: 'policies/regions.yml',
      revision: 1,
      changed_at: expect.any(String),
      changed_by: null,
    })
  })

  test('of one that is not there is 404', async () => {
    expect((await call('/nothing')).status).toBe(404)
    expect((await call('/nothing/history')).status).toBe(404)
  })
})

describe('PUT', () => {
  test('decides about the next question', async () => {
    expect(await regionsOf('west')).toEqual(['West'])
    expect((await put('regional_access', EAST_TOO)).status).toBe(200)
    expect(await regionsOf('west')).toEqual(['East', 'West'])
    await put('regional_access', WEST)
    expect(await regionsOf('west')).toEqual(['West'])
  })

  test('decides on another replica within a second', async () => {
    const other = await stack.startReplica()
    expect(await regionsOf('west', other)).toEqual(['West'])
    await put('regional_access', EAST_TOO)
    const deadline = Date.now() + 1_000
    while ((await regionsOf('west', other)).length === 1) {
      expect(Date.now()).toBeLessThan(deadline)
    }
    await put('regional_access', WEST)
  })

  test('of a name that is not taken makes a policy, 201', async () => {
    const response = await put('new_one', { cube: 'orders', roles: ['nobody'] })
    expect(response.status).toBe(201)
    expect(await eventsOf('new_one')).toMatchObject([
      {
        event_type: 'policy_created',
        user_id: 'usr_admin',
        user_email: 'admin@example.com',
        cube_name: 'orders',
        additional_data: { before: null, after: expect.stringContaining('nobody') },
      },
    ])
  })

  test('with mask makes a masking policy, which takes the place of one of rows', async () => {
    await put('both', { cube: 'orders', roles: ['nobody'] })
    const mask = { cube: 'customers', members: ['segment'], mask: 'hash' }
    expect(await (await put('both', mask)).json()).toMatchObject({ kind: 'masking', policy: mask })
    const types = (await eventsOf('both')).map((event) => event['event_type'])
    expect(types.toSorted()).toEqual(['policy_created', 'policy_created', 'policy_deleted'])
    await call('/both', { method: 'DELETE' })
    expect((await call('/both')).status).toBe(404)
  })

  test('that does not compile is 422 with all problems, and changes nothing', async () => {
    const bad = { cube: 'orders', roles: ['analyst'], filter: 'regoin = 1', exclude_members: ['x'] }
    const response = await put('regional_access', bad)
    expect(response.status).toBe(422)
    const { code, details } = await errorOf(response)
    expect(code).toBe('INVALID_PROJECT')
    expect(details).toHaveLength(2)
    expect(details?.[0]).toMatchObject({ path: 'policies/regional_access', line: 7 })
    expect(await regionsOf('west')).toEqual(['West'])
  })

  test.each([
    ['an unknown key', { cube: 'orders', roles: ['a'], filtre: 'x' }],
    ['another name', { name: 'other', cube: 'orders', roles: ['a'] }],
    ['no roles', { cube: 'orders', roles: [] }],
    ['no cube', { roles: ['a'] }],
  ])('with %s is 422', async (_, body) => {
    expect((await put('regional_access', body)).status).toBe(422)
  })

  test('of what is there already makes no revision', async () => {
    const first = (await put('new_one', { cube: 'orders', roles: ['nobody'] })).headers.get('etag')
    const second = await put('new_one', { cube: 'orders', roles: ['nobody'] })
    expect(second.headers.get('etag')).toBe(first)
  })
})

describe('a masking policy', () => {
  test('leaves its name and what it masked with the question, as masking_applied too', async () => {
    await put('names', { cube: 'customers', members: ['customer_name'], mask: 'partial' })
    await fetch(`${origin}/api/v1/query?dimensions=customers.customer_name&limit=1`, {
      headers: { authorization: 'Bearer west', 'x-request-id': 'masked-question' },
    })
    const shape = z.record(z.string(), z.unknown())
    const events = await owner.many(
      shape,
      sql`select * from audit_events where request_id = 'masked-question' order by id`,
    )
    expect(events.map((event) => event['event_type'])).toEqual(['data_access', 'masking_applied'])
    for (const event of events) {
      expect(event).toMatchObject({
        masking_policies_applied: ['names'],
        columns_masked: ['customers.customer_name'],
        rls_policies_applied: ['customers_regional_access'],
        rls_predicates: ['region = $user.region'],
      })
    }
  })
})

describe('If-Match', () => {
  test('lets only one of two change the same state', async () => {
    const etag = (await call('/new_one')).headers.get('etag') ?? ''
    const bodies = ['a', 'b'].map((role) => ({ cube: 'orders', roles: [role] }))
    const answers = await Promise.all(
      bodies.map((body) => put('new_one', body, { 'if-match': etag })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
  })

  test('* is 412 for a policy that is not there, If-None-Match for one that is', async () => {
    const body = { cube: 'orders', roles: ['a'] }
    expect((await put('absent', body, { 'if-match': '*' })).status).toBe(412)
    expect((await put('new_one', body, { 'if-none-match': '*' })).status).toBe(412)
  })

  test.each(['nonsense', 'W/"1"', '"x"'])('%s is 400', async (tag) => {
    expect((await put('new_one', { cube: 'orders' }, { 'if-match': tag })).status).toBe(400)
  })
})

describe('DELETE', () => {
  test('takes a policy away, and its history stays', async () => {
    await put('short', { cube: 'orders', roles: ['nobody'] })
    expect((await call('/short', { method: 'DELETE' })).status).toBe(204)
    expect((await call('/short')).status).toBe(404)
    const { versions } = z
      .object({ versions: z.array(z.looseObject({ change: z.string() })) })
      .parse(await (await call('/short/history')).json())
    expect(versions).toMatchObject([
      { change: 'deleted', policy: null, changed_by: { id: 'usr_admin' } },
      { change: 'created', policy: { roles: ['nobody'] } },
    ])
    expect((await eventsOf('short')).at(-1)).toMatchObject({ event_type: 'policy_deleted' })
  })

  test('of a policy that the folder has lasts over its next load', async () => {
    await call('/products_regional_access', { method: 'DELETE' })
    await stack.startReplica()
    expect((await call('/products_regional_access')).status).toBe(404)
  })
})

describe('without the scope admin', () => {
  const ROUTES: [string, Call][] = [
    ['', {}],
    ['/regional_access', {}],
    ['/no_such_policy', {}],
    ['/regional_access/history', {}],
    ['/regional_access', { method: 'PUT', body: WEST }],
    ['/regional_access', { method: 'PUT', body: { nonsense: 1 } }],
    ['/regional_access', { method: 'DELETE' }],
    ['/no_such_policy', { method: 'DELETE' }],
  ]

  test.each(['west', 'writer'] as const)('%s gets the same 403 at every door', async (who) => {
    const before = await eventsOf('regional_access')
    const answers = await Promise.all(
      ROUTES.map(([path, options]) => call(path, { ...options, who })),
    )
    expect(answers.map(({ status }) => status)).toEqual(ROUTES.map(() => 403))
    const bodies = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(bodies).size).toBe(1)
    expect(await eventsOf('regional_access')).toEqual(before)
  })
})
