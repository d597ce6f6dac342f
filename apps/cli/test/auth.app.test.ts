import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

const KEY = 'olytix-core_key_abc123xyz789'
const ISSUED = {
  id: 'key_01',
  key: KEY,
  name: 'My Application',
  scopes: ['read'],
  expires_at: '2025-01-20T00:00:00.000Z',
  created_at: '2024-01-21T10:00:00.000Z',
}

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
})
afterEach(() => api.stop())

function run(args: readonly string[], stdin?: string): Promise<Captured> {
  const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' }
  return runCaptured(args, { environment, ...(stdin === undefined ? {} : { stdin }) })
}

describe('auth create-key', () => {
  const create = 'POST /api/v1/auth/keys'

  test('prints what the documentation shows, byte for byte', async () => {
    api.on(create, { status: 201, text: JSON.stringify(ISSUED) })
    const args = ['auth', 'create-key', '--name', 'My Application', '--expires', '365d']
    expect(await run(args)).toEqual({
      exitCode: 0,
      stdout: `API Key Created:
Key: olytix-core_key_abc123xyz789
Name: My Application
Expires: 2025-01-20
Scopes: read

⚠ Store this key securely. It won't be shown again.
`,
      stderr: '',
    })
    expect(api.requests).toEqual([
      {
        method: 'POST',
        url: '/api/v1/auth/keys',
        authorization: 'Bearer olytix-core_key_mine',
        body: '{"name":"My Application","scopes":["read"],"expires_in_days":365}',
      },
    ])
  })

  test('asks for the scopes, roles and attributes that it is given', async () => {
    const answer = { ...ISSUED, scopes: ['read', 'write', 'admin'] }
    api.on(create, { status: 201, text: JSON.stringify(answer) })
    const scopes = ['--scopes', 'read,write,admin', '--roles', 'analyst']
    const attributes = ['--attr', 'region=West', '--attr', 'level:=3']
    const { stdout } = await run(['auth', 'create-key', '--name', 'x', ...scopes, ...attributes])
    expect(stdout).toContain('\nScopes: read, write, admin\n')
    expect(api.requests[0]?.body).toBe(
      '{"name":"x","scopes":["read","write","admin"],"expires_in_days":365,"roles":["analyst"],"attributes":{"region":"West","level":3}}',
    )
  })

  test('under --json gives the answer as it came', async () => {
    api.on(create, { status: 201, text: JSON.stringify(ISSUED) })
    const { stdout } = await run(['auth', 'create-key', '--name', 'x', '--json'])
    expect(JSON.parse(stdout)).toEqual(ISSUED)
  })

  test.each([
    [['--expires', '0d'], 'days like 365d'],
    [['--expires', ''], 'days like 365d'],
    [['--expires', '99999999d'], 'days like 365d'],
    [['--expires=-1d'], 'days like 365d'],
    [['--scopes', 'raed'], 'did you mean read?'],
    [['--scopes', ''], 'separated by commas'],
    [['--attr', 'Region=West'], 'name=text'],
    [['--name', ' '], 'A name is expected'],
    [['--nmae', 'x'], '--name'],
    [['--key', KEY], "unknown option '--key'"],
    [['surplus'], 'too many arguments'],
  ])('%j is a usage error, and nothing is sent', async (args, message) => {
    const result = await run(['auth', 'create-key', '--name', 'x', ...args])
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain(message)
    expect(api.requests).toEqual([])
  })

  test('without a name is a usage error', async () => {
    const result = await run(['auth', 'create-key'])
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toBe("error: required option '--name <name>' not specified\n")
  })
})

describe('auth list-keys', () => {
  const key = { id: 'key_01', name: 'One', hint: 'abcd', scopes: ['read'], status: 'active' }

  test('shows every page, and of a key no more than its hint', async () => {
    const dates = { expires_at: '2027-11-24T00:00:00.000Z', last_used_at: null }
    const first = { keys: [{ ...key, ...dates }], next_page_token: 'a/b' }
    const other = { ...key, id: 'key_02', scopes: ['read', 'admin'], status: 'revoked' }
    const used = { ...other, last_used_at: '2026-11-24T04:00:00.000Z' }
    api.on('GET /api/v1/auth/keys?', { status: 200, text: JSON.stringify(first) })
    api.on('GET /api/v1/auth/keys', { status: 200, text: JSON.stringify(first) })
    api.on('GET /api/v1/auth/keys?page_token=a%2Fb', {
      status: 200,
      text: JSON.stringify({ keys: [used], next_page_token: '' }),
    })
    expect((await run(['auth', 'list-keys'])).stdout).toBe(
      `id      name  hint   scopes       status   expires     last used
------  ----  -----  -----------  -------  ----------  ------------------------
key_01  One   abcd…  read         active   2027-11-24  never
key_02  One   abcd…  read, admin  revoked  never       2026-11-24T04:00:00.000Z
`,
    )
    const { stdout } = await run(['auth', 'list-keys', '--json'])
    expect(JSON.parse(stdout)).toEqual({ keys: [{ ...key, ...dates }, used] })
  })

  test('says which key takes the place of a rotated one', async () => {
    const rotated = { ...key, status: 'rotating', rotated_to: 'key_02' }
    api.on('GET /api/v1/auth/keys', json({ keys: [rotated], next_page_token: null }))
    expect((await run(['auth', 'list-keys'])).stdout).toContain('  rotating, now key_02  ')
  })
})

describe('auth revoke-key', () => {
  test('revokes by id', async () => {
    api.on('DELETE /api/v1/auth/keys/key_01', { status: 204 })
    const result = await run(['auth', 'revoke-key', 'key_01'])
    expect(result).toEqual({ exitCode: 0, stdout: 'API Key Revoked: key_01\n', stderr: '' })
  })

  test('revokes a key of which only the text is known, read from standard input', async () => {
    api.on('POST /api/v1/auth/keys/revoke', { status: 204 })
    const result = await run(['auth', 'revoke-key'], `${KEY}\n`)
    expect(result).toEqual({ exitCode: 0, stdout: 'API Key Revoked\n', stderr: '' })
    expect(api.requests[0]?.body).toBe(`{"key":"${KEY}"}`)
  })

  test('takes no key as an argument and does not repeat it', async () => {
    const result = await run(['auth', 'revoke-key', KEY])
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain('standard input')
    expect(result.stderr).not.toContain(KEY)
    expect(api.requests).toEqual([])
  })

  test.each(['..', 'a/b', '%', ''])('the id %j is a usage error', async (id) => {
    expect((await run(['auth', 'revoke-key', id])).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })

  test('without anything on standard input is a usage error', async () => {
    expect(await run(['auth', 'revoke-key'])).toMatchObject({
      exitCode: 2,
      stderr: 'error: there is no key on standard input\n',
    })
  })

  test('of an unknown id is refused', async () => {
    const text = '{"error":{"code":"NOT_FOUND","message":"There is no key key_99"}}'
    api.on('DELETE /api/v1/auth/keys/key_99', { status: 404, text })
    expect(await run(['auth', 'revoke-key', 'key_99'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: There is no key key_99\n',
    })
    expect(JSON.parse((await run(['auth', 'revoke-key', 'key_99', '--json'])).stderr)).toEqual(
      JSON.parse(text),
    )
  })
})

describe('whoami', () => {
  const me = {
    id: 'key_01',
    kind: 'api_key',
    email: null,
    name: 'West',
    roles: ['analyst'],
    scopes: ['read'],
    attributes: { region: 'West', levels: [1, 2] },
    expires_at: '2027-11-24T00:00:00.000Z',
  }

  test.each([[['whoami']], [['auth', 'whoami']]])('%j shows the principal', async (args) => {
    api.on('GET /api/v1/auth/me', { status: 200, text: JSON.stringify(me) })
    expect(await run(args)).toEqual({
      exitCode: 0,
      stdout: `id:               key_01
kind:             api_key
name:             West
roles:            analyst
scopes:           read
attribute region: West
attribute levels: [ 1, 2 ]
expires:          2027-11-24T00:00:00.000Z
`,
      stderr: '',
    })
    expect(JSON.parse((await run([...args, '--json'])).stdout)).toEqual(me)
  })
})
