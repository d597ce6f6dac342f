import { beforeAll, describe, expect, test } from '@jest/globals'
import { type Account, createUser, pairOf, refresh, signIn } from './harness/accounts.js'
import { olytixCore } from './harness/cli.js'
import { expectRefusal, FORBIDDEN, UNAUTHORIZED } from './harness/errors.js'
import { ask, createKey, query } from './harness/http.js'
import { readJwt } from './harness/jwt.js'
import { stack } from './harness/stack.js'

/** The examples of the product's page "Authentication", in its order. OAuth comes with its own tests. */

const KEY = /^Key: (olytix-core_key_[0-9a-z]{33})$/m
const MONTHLY = { metrics: ['monthly_revenue'] }

async function keyFromCli(...args: readonly string[]): Promise<string> {
  const { stdout } = await olytixCore(['auth', 'create-key', '--name', 'e2e', ...args])
  return KEY.exec(stdout)?.[1] ?? ''
}

/** 00:00 UTC of today plus so many days, as a date. */
function dayAfter(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
}

describe('Generating API keys', () => {
  test('olytix-core auth create-key prints the documented block and nothing else', async () => {
    const before = dayAfter(365)
    const args = ['auth', 'create-key', '--name', 'My Application', '--expires', '365d']
    const result = await olytixCore(args)
    const [, key] = KEY.exec(result.stdout) ?? []
    // Midnight may pass while the command runs.
    const block = (day: string): string => `API Key Created:
Key: ${String(key)}
Name: My Application
Expires: ${day}
Scopes: read

⚠ Store this key securely. It won't be shown again.
`
    expect({ ...result, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect([block(before), block(dayAfter(365))]).toContain(result.stdout)
  })

  test('a key is never shown again', async () => {
    const key = await keyFromCli()
    const list = await olytixCore(['auth', 'list-keys', '--json'])
    expect(list.exitCode).toBe(0)
    expect(key).toMatch(/^olytix-core_key_/)
    expect(list.stdout).not.toContain(key.slice('olytix-core_key_'.length + 4))
  })
})

describe('Using API keys', () => {
  test('in the header', async () => {
    const key = await keyFromCli()
    const answer = await query(key, MONTHLY)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({
      data: expect.arrayContaining([
        { 'orders.order_date.month': '2014-01', monthly_revenue: 14236.895 },
      ]),
      execution_time_ms: expect.any(Number),
      cached: false,
    })
  })

  test('as a query parameter: an empty question is answered with what there is to ask for', async () => {
    const key = await keyFromCli()
    const answer = await ask(`/api/v1/query?api_key=${key}`)
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(JSON.parse(answer.text)).toMatchObject({
      data: [],
      hint: expect.stringContaining('monthly_revenue'),
    })
  })

  test('as a query parameter beside a question', async () => {
    const { key } = await createKey()
    const answer = await ask(`/api/v1/query?metrics=total_revenue&api_key=${key}`)
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(JSON.parse(answer.text)).toMatchObject({ data: [{ total_revenue: 2297200.8603 }] })
  })

  test('as a query parameter an admin key may read and no more', async () => {
    const parameter = `api_key=${stack.admin_api_key}`
    expect((await ask(`/api/v1/query?metrics=total_revenue&${parameter}`)).status).toBe(200)
    expect(await ask(`/api/v1/auth/keys?${parameter}`)).toMatchObject({
      status: 403,
      text: FORBIDDEN,
    })
  })
})

describe('API key scopes', () => {
  test('create-key --scopes read', async () => {
    const args = ['auth', 'create-key', '--name', 'Read Only', '--scopes', 'read']
    expect((await olytixCore(args)).stdout).toContain('\nName: Read Only\n')
    expect((await olytixCore(args)).stdout).toContain('\nScopes: read\n')
  })

  test('create-key --scopes read,write,admin', async () => {
    const args = ['auth', 'create-key', '--name', 'Full Access', '--scopes', 'read,write,admin']
    expect((await olytixCore(args)).stdout).toContain('\nScopes: read, write, admin\n')
  })

  // The page's table; `write` does not imply `read`, `admin` implies both.
  test.each([
    { scopes: ['read'], data: 200, metadata: 200, security: 403 },
    { scopes: ['write'], data: 403, metadata: 403, security: 403 },
    { scopes: ['read', 'write'], data: 200, metadata: 200, security: 403 },
    { scopes: ['admin'], data: 200, metadata: 200, security: 200 },
  ])('$scopes: query $data, metadata $metadata, security $security', async (row) => {
    const { key } = await createKey({ scopes: row.scopes })
    expect({
      ...row,
      data: (await query(key, MONTHLY)).status,
      metadata: (await ask('/api/v1/query/meta/cubes', { key })).status,
      security: (await ask('/api/v1/auth/keys', { key })).status,
    }).toEqual(row)
  })
})

describe('JWT Tokens', () => {
  const token = '/api/v1/auth/token'
  let user: Account
  beforeAll(async () => {
    user = await createUser()
  })

  test('Getting a Token answers the four documented fields, in their order', async () => {
    const body = { username: user.email, password: user.password }
    const answer = await ask(token, { method: 'POST', body })
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(answer.text).toMatch(
      /^\{"access_token":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\.[\w-]+\.[\w-]+","token_type":"bearer","expires_in":3600,"refresh_token":"refresh_[\w-]+"\}$/,
    )
  })

  test('the token says who it is for, and for how long', async () => {
    const { header, claims } = readJwt((await signIn(user)).access_token)
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' })
    const { iat, nbf, exp, ...rest } = claims
    expect(Number(exp) - Number(iat)).toBe(3600)
    expect(nbf).toBe(iat)
    expect(rest).toEqual({
      sub: user.id,
      email: user.email,
      roles: ['viewer'],
      scope: 'read',
      iss: expect.any(String),
      aud: expect.any(String),
      jti: expect.any(String),
      sid: expect.any(String),
    })
  })

  test('Using JWT Tokens', async () => {
    const { access_token } = await signIn(user)
    const answer = await query(access_token, MONTHLY)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({
      data: expect.arrayContaining([
        { 'orders.order_date.month': '2014-01', monthly_revenue: 14236.895 },
      ]),
    })
    const me = await ask('/api/v1/auth/me', { key: access_token })
    expect(JSON.parse(me.text)).toMatchObject({
      id: user.id,
      kind: 'user',
      email: user.email,
      roles: ['viewer'],
      scopes: ['read'],
    })
  })

  test('Refreshing Tokens answers the same shape with other tokens', async () => {
    const first = await signIn(user)
    const second = pairOf(await refresh(first.refresh_token))
    expect(second.access_token).not.toBe(first.access_token)
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect((await query(second.access_token, MONTHLY)).status).toBe(200)
  })

  test.each([
    ['no username', { password: 'x' }, 400],
    ['no password', { username: 'x@example.com' }, 400],
    ['an unknown field', { username: 'x@example.com', password: 'x', scope: 'admin' }, 400],
    ['a number', { username: 1, password: 'x' }, 400],
    ['an empty refresh token', { refresh_token: '' }, 400],
    ['another refresh token', { refresh_token: 'refresh_abc123' }, 401],
  ])('%s: %j is refused with %d', async (_what, body, status) => {
    const path = 'refresh_token' in body ? '/api/v1/auth/refresh' : token
    const answer = await ask(path, { method: 'POST', body })
    if (status === 401) expect(answer).toMatchObject({ status, text: UNAUTHORIZED })
    else expectRefusal(answer, status, 'INVALID_REQUEST')
  })
})

describe('401 Unauthorized', () => {
  test('missing Authorization header', async () => {
    const answer = await ask('/api/v1/query', { method: 'POST', body: MONTHLY })
    expect(answer).toMatchObject({ status: 401, text: UNAUTHORIZED })
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b(?!.*error=)/)
  })

  test.each([
    ['of another product', 'sk_live_abc123xyz789'],
    ['of the documentation', 'olytix-core_key_abc123xyz789'],
    ['with a wrong checksum', `olytix-core_key_${'a'.repeat(33)}`],
    ['in capital letters', 'OLYTIX-CORE_KEY_ABC123XYZ789'],
    ['that is a token of somebody else', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'],
    ['with SQL in it', "olytix-core_key_' or '1'='1"],
  ])('invalid API key %s', async (_what, key) => {
    const answer = await query(key, MONTHLY)
    expect(answer).toMatchObject({ status: 401, text: UNAUTHORIZED })
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  test('a key that was revoked', async () => {
    const { id, key } = await createKey()
    expect((await olytixCore(['auth', 'revoke-key', id])).exitCode).toBe(0)
    expect(await query(key, MONTHLY)).toMatchObject({ status: 401, text: UNAUTHORIZED })
  })

  test('the same on every other route', async () => {
    for (const path of ['/api/v1/query', '/api/v1/query/meta/cubes', '/api/v1/auth/me']) {
      expect(await ask(path)).toMatchObject({ status: 401, text: UNAUTHORIZED })
    }
  })

  test('a key in a cookie, or in a header of another name, does not count', async () => {
    const { key } = await createKey()
    const headers = { Cookie: `api_key=${key}`, 'X-Api-Key': key, 'Proxy-Authorization': key }
    const answer = await ask('/api/v1/auth/me', { headers })
    expect(answer).toMatchObject({ status: 401, text: UNAUTHORIZED })
  })
})

describe('403 Forbidden', () => {
  test('API key lacks required scope', async () => {
    const { key } = await createKey({ scopes: ['write'] })
    const answer = await query(key, MONTHLY)
    expect(answer).toMatchObject({ status: 403, text: FORBIDDEN })
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
    expect(answer.headers['www-authenticate']).toContain('scope="read"')
  })

  test('user lacks required role', async () => {
    const { access_token } = await signIn(await createUser())
    expect(await ask('/api/v1/auth/users', { key: access_token })).toMatchObject({
      status: 403,
      text: FORBIDDEN,
    })
  })

  test('resource access denied by RLS: the policy needs an attribute that the key lacks', async () => {
    const { key } = await createKey({ roles: ['analyst'] })
    expect(await query(key, MONTHLY)).toMatchObject({ status: 403, text: FORBIDDEN })
  })

  test.each([[{ region: 3 }], [{ region: true }], [{ region: ['West'] }], [{ area: 'West' }]])(
    'resource access denied by RLS: the attributes %j are not what the policy needs',
    async (attributes) => {
      const { key } = await createKey({ roles: ['analyst'], attributes })
      expect(await query(key, MONTHLY)).toMatchObject({ status: 403, text: FORBIDDEN })
    },
  )
})
