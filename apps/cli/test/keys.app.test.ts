import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

const KEY = 'olytix-core_key_abc123xyz789'
const ISSUED = {
  id: 'key_02',
  key: KEY,
  name: 'My Application',
  scopes: ['read'],
  expires_at: '2027-11-24T00:00:00.000Z',
  created_at: '2026-11-24T10:00:00.000Z',
}
const LISTED = { id: 'key_01', name: 'One', hint: 'abcd', scopes: ['read'], status: 'active' }

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
})
afterEach(() => api.stop())

function run(...args: readonly string[]): Promise<Captured> {
  const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' }
  return runCaptured(args, { environment })
}

describe('auth rotate-key', () => {
  beforeEach(() => {
    api.on('POST /api/v1/auth/keys/key_01/rotate', json(ISSUED, 201))
  })

  test.each([
    [[], 86_400],
    [['--overlap', '24h'], 86_400],
    [['--overlap', '30m'], 1800],
    [['--overlap', '90s'], 90],
    [['--overlap', '7d'], 604_800],
  ])('%j lets both keys work for %d seconds and says until when', async (args, seconds) => {
    const before = Date.now()
    const { exitCode, stdout } = await run('auth', 'rotate-key', 'key_01', ...args)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      /^API Key Rotated:\nKey: olytix-core_key_abc123xyz789\nName: My Application\nExpires: 2027-11-24\nScopes: read\n/,
    )
    const [, until = ''] = /The old key, key_01, works until (\S+)\. /.exec(stdout) ?? []
    expect(Math.abs(Date.parse(until) - before - seconds * 1000)).toBeLessThan(70_000)
    expect(api.requests[0]?.body).toBe(`{"overlap_seconds":${String(seconds)}}`)
  })

  test('with an overlap of 0 says that the old key is refused now', async () => {
    const { stdout } = await run('auth', 'rotate-key', 'key_01', '--overlap', '0')
    expect(stdout).toContain('The old key, key_01, is refused from now on.')
    expect(api.requests[0]?.body).toBe('{"overlap_seconds":0}')
  })

  test('under --json gives the answer as it came', async () => {
    const { stdout } = await run('auth', 'rotate-key', 'key_01', '--json')
    expect(JSON.parse(stdout)).toEqual(ISSUED)
  })

  test.each(['-1', '1.5h', '1d2h', '24', '24H', '', '31d', '99999999999s'])(
    'the overlap %j is a usage error, and nothing is sent',
    async (overlap) => {
      const result = await run('auth', 'rotate-key', 'key_01', `--overlap=${overlap}`)
      expect(result).toMatchObject({ exitCode: 2, stdout: '' })
      expect(result.stderr).toContain('Expected a time like 24h')
      expect(api.requests).toEqual([])
    },
  )
})

describe.each(['rotate-key', 'key-usage', 'update-key', 'end-session'])('auth %s', (name) => {
  test.each([KEY, 'refresh_abc', 'eyJhbGciOiJIUzI1NiJ9.e30.x'])(
    'takes no secret as an argument and does not repeat it',
    async (secret) => {
      const result = await run('auth', name, secret)
      expect(result).toMatchObject({ exitCode: 2, stdout: '' })
      expect(result.stderr).toContain('must not stand on the command line')
      expect(result.stderr).not.toContain(secret)
      expect(api.requests).toEqual([])
    },
  )

  test.each(['..', 'a/b', '%', ''])('the id %j is a usage error', async (id) => {
    expect((await run('auth', name, id)).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })
})

describe('auth update-key', () => {
  beforeEach(() => {
    api.on('PATCH /api/v1/auth/keys/key_01', json(LISTED))
  })

  test.each([
    [['--name', 'New'], { name: 'New' }],
    [['--scopes', 'read,write'], { scopes: ['read', 'write'] }],
    [['--roles', 'analyst,viewer'], { roles: ['analyst', 'viewer'] }],
    [['--no-roles'], { roles: [] }],
    [['--attr', 'region=West', '--attr', 'level:=3'], { attributes: { region: 'West', level: 3 } }],
    [['--no-attr'], { attributes: {} }],
    [['--allow-ip', '10.0.0.0/8', '--allow-ip', '::1'], { allowed_ips: ['10.0.0.0/8', '::1'] }],
    [['--no-allow-ip'], { allowed_ips: [] }],
    [['--disable'], { disabled: true }],
    [['--enable', '--name', 'x'], { name: 'x', disabled: false }],
  ])('%j changes that and nothing else', async (args, body) => {
    expect(await run('auth', 'update-key', 'key_01', ...args)).toEqual({
      exitCode: 0,
      stdout: 'API Key Changed: key_01 (active)\n',
      stderr: '',
    })
    expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual(body)
  })

  test.each([
    [[], 'nothing to change'],
    [['--disable', '--enable'], 'cannot be used with'],
    [['--scopes', 'raed'], 'did you mean read?'],
    [['--name', ' '], 'A name is expected'],
  ])('%j is a usage error, and nothing is sent', async (args, message) => {
    const result = await run('auth', 'update-key', 'key_01', ...args)
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain(message)
    expect(api.requests).toEqual([])
  })
})

describe('auth key-usage', () => {
  const usage = [
    { start: '2026-11-23T00:00:00.000Z', requests: { allowed: 12, insufficient_scope: 3 } },
    { start: '2026-11-24T00:00:00.000Z', requests: { allowed: 1_234 } },
  ]

  test('shows a line for each day and a column for each outcome', async () => {
    const path = '/api/v1/auth/keys/key_01/usage?from=2026-11-23&granularity=day'
    api.on(`GET ${path}`, json({ usage, last_client_ip: '10.1.2.3' }))
    const options = ['--from', '2026-11-23', '--granularity', 'day']
    expect((await run('auth', 'key-usage', 'key_01', ...options)).stdout).toBe(
      `start                     allowed  insufficient_scope
------------------------  -------  ------------------
2026-11-23T00:00:00.000Z       12                   3
2026-11-24T00:00:00.000Z     1234                   0

Last address: 10.1.2.3
`,
    )
    const { stdout } = await run('auth', 'key-usage', 'key_01', ...options, '--json')
    expect(JSON.parse(stdout)).toEqual({ usage, last_client_ip: '10.1.2.3' })
  })

  test('says so when there was none', async () => {
    api.on('GET /api/v1/auth/keys/key_01/usage', json({ usage: [], last_client_ip: null }))
    expect((await run('auth', 'key-usage', 'key_01')).stdout).toBe('No requests in this time.\n')
  })

  test.each([
    ['--from', 'yesterday'],
    ['--to', '2026-02-30'],
    ['--to', '2026-01-01T00:00'],
    ['--granularity', 'week'],
  ])('%s %s is a usage error', async (...args) => {
    expect((await run('auth', 'key-usage', 'key_01', ...args)).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })
})

describe('auth revoke-key --owner', () => {
  const ada = {
    id: 'usr_01',
    email: 'Ada@example.com',
    name: 'Ada',
    roles: [],
    attributes: {},
    disabled: false,
    email_verified: true,
    created_at: '2026-11-24T10:00:00.000Z',
  }

  test.each([['usr_01'], ['ada@example.com']])('%s loses every key he made', async (owner) => {
    api.on('GET /api/v1/auth/users/usr_01', json(ada))
    api.on('GET /api/v1/auth/users', json({ users: [ada], next_page_token: null }))
    api.on('POST /api/v1/auth/keys/revoke', json({ revoked: 3 }))
    expect(await run('auth', 'revoke-key', '--owner', owner)).toEqual({
      exitCode: 0,
      stdout: 'API Keys Revoked: 3 of Ada@example.com (usr_01)\n',
      stderr: '',
    })
    expect(api.requests.at(-1)?.body).toBe('{"owner_id":"usr_01"}')
  })

  test('beside an id is a usage error', async () => {
    expect((await run('auth', 'revoke-key', 'key_01', '--owner', 'usr_01')).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })

  test('of an address that nobody has is a usage error', async () => {
    api.on('GET /api/v1/auth/users', json({ users: [ada], next_page_token: null }))
    const result = await run('auth', 'revoke-key', '--owner', 'eve@example.com')
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain('nobody has the address eve@example.com')
  })
})
