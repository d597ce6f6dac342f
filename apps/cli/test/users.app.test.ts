import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

const ADA = {
  id: 'usr_01',
  email: 'ada@example.com',
  name: 'Ada',
  roles: ['viewer', 'analyst'],
  attributes: { region: 'West' },
  disabled: false,
  email_verified: false,
  password_set: true,
  created_at: '2026-11-24T10:00:00.000Z',
  last_login_at: null,
}
const BOB = { ...ADA, id: 'usr_02', email: 'bob@example.com', name: 'Bob', disabled: true }
const EVE = { ...ADA, id: 'usr_03', email: 'eve@example.com', name: 'Eve', password_set: false }

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
  api.on('GET /api/v1/auth/users/usr_01', json(ADA))
  api.on('GET /api/v1/auth/users', json({ users: [ADA], next_page_token: 'more' }))
  const rest = json({ users: [BOB, EVE], next_page_token: null })
  api.on('GET /api/v1/auth/users?page_token=more', rest)
})
afterEach(() => api.stop())

function run(args: readonly string[], stdin?: string): Promise<Captured> {
  const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' }
  return runCaptured(args, { environment, ...(stdin === undefined ? {} : { stdin }) })
}

function sent(): unknown {
  const { method, url, body } = api.requests.at(-1) ?? {}
  return [`${String(method)} ${String(url)}`, body ? JSON.parse(body) : undefined]
}

describe('users list', () => {
  test('shows every page', async () => {
    expect((await run(['users', 'list'])).stdout).toBe(
      `id      email            name  roles            status       last login
------  ---------------  ----  ---------------  -----------  ----------
usr_01  ada@example.com  Ada   viewer, analyst  active       never
usr_02  bob@example.com  Bob   viewer, analyst  disabled     never
usr_03  eve@example.com  Eve   viewer, analyst  no password  never
`,
    )
    const { stdout } = await run(['users', 'list', '--json'])
    expect(JSON.parse(stdout)).toEqual({ users: [ADA, BOB, EVE] })
  })
})

describe('users show', () => {
  test.each(['usr_01', 'ada@example.com', 'ADA@example.com'])(
    'finds a user by %s',
    async (user) => {
      expect((await run(['users', 'show', user])).stdout).toBe(
        `id:               usr_01
email:            ada@example.com (not verified)
name:             Ada
roles:            viewer, analyst
attribute region: West
status:           active
created:          2026-11-24T10:00:00.000Z
last login:       never
`,
      )
      expect(JSON.parse((await run(['users', 'show', user, '--json'])).stdout)).toEqual(ADA)
    },
  )

  test.each([
    ['nobody@example.com', 'nobody has the address'],
    ['..', 'is no id'],
    ['a b', 'is no id'],
  ])('%s is a usage error', async (user, message) => {
    const result = await run(['users', 'show', user])
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain(message)
  })
})

describe('users create', () => {
  const invited = {
    ...ADA,
    invite_token: 'invite_abc',
    invite_expires_at: '2026-12-01T10:00:00.000Z',
  }

  test('without a password shows the invite and what to do with it', async () => {
    api.on('POST /api/v1/auth/users', json(invited, 201))
    const args = ['--email', 'ada@example.com', '--name', 'Ada', '--roles', 'viewer,analyst']
    const result = await run(['users', 'create', ...args, '--attr', 'region=West'])
    expect(result).toEqual({
      exitCode: 0,
      stdout: `User Created: ada@example.com (usr_01)

Invite:
Token: invite_abc
For: ada@example.com
Expires: 2026-12-01T10:00:00.000Z

⚠ Hand it over safely. It works once, and it won't be shown again.
They run: olytix-core auth reset-password
`,
      stderr: '',
    })
    expect(sent()).toEqual([
      'POST /api/v1/auth/users',
      {
        email: 'ada@example.com',
        name: 'Ada',
        roles: ['viewer', 'analyst'],
        attributes: { region: 'West' },
      },
    ])
  })

  test('takes a password from standard input alone', async () => {
    api.on('POST /api/v1/auth/users', json(ADA, 201))
    const args = ['users', 'create', '--email', 'ada@example.com']
    const result = await run([...args, '--password-stdin', '--disabled'], ' a long password \n')
    expect(result.stdout).toBe('User Created: ada@example.com (usr_01)\n')
    expect(sent()).toEqual([
      'POST /api/v1/auth/users',
      { email: 'ada@example.com', password: ' a long password ', disabled: true },
    ])
    expect((await run([...args, '--password', 'hunter2'])).exitCode).toBe(2)
    expect((await run([...args, '--password-stdin'], '')).exitCode).toBe(2)
    expect(api.requests).toHaveLength(1)
  })

  test('without an address is a usage error', async () => {
    expect((await run(['users', 'create'])).stderr).toContain('--email')
  })
})

describe('users update', () => {
  test.each([
    [['--name', 'A'], { name: 'A' }],
    [
      ['--email', 'a@example.com', '--email-verified'],
      { email: 'a@example.com', email_verified: true },
    ],
    [['--no-email-verified'], { email_verified: false }],
    [['--roles', 'admin'], { roles: ['admin'] }],
    [['--no-roles', '--no-attr'], { roles: [], attributes: {} }],
    [['--attr', 'regions:=["West","East"]'], { attributes: { regions: ['West', 'East'] } }],
  ])('%j changes that and nothing else', async (args, body) => {
    api.on('PATCH /api/v1/auth/users/usr_01', json(ADA))
    const result = await run(['users', 'update', 'ada@example.com', ...args])
    expect(result.stdout).toBe('User Changed: ada@example.com (usr_01)\n')
    expect(sent()).toEqual(['PATCH /api/v1/auth/users/usr_01', body])
  })

  test('of nothing is a usage error', async () => {
    expect((await run(['users', 'update', 'usr_01'])).stderr).toContain('nothing to change')
    expect(api.requests).toEqual([])
  })
})

describe('users disable, enable, delete, reset-password', () => {
  test.each([
    ['disable', true, 'User Disabled: ada@example.com (usr_01)\nEvery credential of'],
    ['enable', false, 'User Enabled: ada@example.com (usr_01)\n'],
  ])('%s', async (name, disabled, message) => {
    api.on('PATCH /api/v1/auth/users/usr_01', json({ ...ADA, disabled }))
    const { exitCode, stdout } = await run(['users', name, 'usr_01'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(message)
    expect(sent()).toEqual(['PATCH /api/v1/auth/users/usr_01', { disabled }])
  })

  test('delete', async () => {
    api.on('DELETE /api/v1/auth/users/usr_01', { status: 204 })
    const { stdout } = await run(['users', 'delete', 'ada@example.com'])
    expect(stdout).toBe('User Deleted: ada@example.com (usr_01)\n')
  })

  test('reset-password shows the token and what to do with it', async () => {
    const token = { token: 'reset_abc', expires_at: '2026-11-24T10:30:00.000Z' }
    api.on('POST /api/v1/auth/users/usr_01/reset-password', json(token))
    const { stdout } = await run(['users', 'reset-password', 'usr_01'])
    expect(stdout).toContain('Token: reset_abc\nFor: ada@example.com\n')
    expect(stdout).toContain('They run: olytix-core auth reset-password')
    const asJson = (await run(['users', 'reset-password', 'usr_01', '--json'])).stdout
    expect(JSON.parse(asJson)).toEqual({ id: 'usr_01', ...token })
  })

  test('a refusal is exit code 1', async () => {
    const text =
      '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}'
    api.on('GET /api/v1/auth/users/usr_01', { status: 403, text })
    expect(await run(['users', 'disable', 'usr_01'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: Insufficient permissions for this resource\n',
    })
  })
})

describe('roles', () => {
  const viewer = { name: 'viewer', scopes: ['read'], description: 'Reads', built_in: true }
  const guest = { name: 'guest', scopes: [], description: '', built_in: false }

  test('list shows them all', async () => {
    api.on('GET /api/v1/auth/roles', json({ roles: [viewer, guest], next_page_token: null }))
    expect((await run(['roles', 'list'])).stdout).toBe(
      `name    scopes  kind      description
------  ------  --------  -----------
viewer  read    built in  Reads
guest   none    custom
`,
    )
  })

  test('show shows one', async () => {
    api.on('GET /api/v1/auth/roles/viewer', json(viewer))
    expect((await run(['roles', 'show', 'viewer'])).stdout).toContain('scopes:      read\n')
    expect(JSON.parse((await run(['roles', 'show', 'viewer', '--json'])).stdout)).toEqual(viewer)
  })

  test.each([
    ['read,write', ['read', 'write']],
    ['none', []],
  ])('set --scopes %s', async (scopes, body) => {
    api.on('PUT /api/v1/auth/roles/guest', json({ ...guest, scopes: body }))
    const args = ['roles', 'set', 'guest', '--scopes', scopes, '--description', 'Looks around']
    const text = body.length > 0 ? body.join(', ') : 'none'
    expect((await run(args)).stdout).toBe(`Role Set: guest (${text})\n`)
    expect(sent()).toEqual([
      'PUT /api/v1/auth/roles/guest',
      { scopes: body, description: 'Looks around' },
    ])
  })

  test('delete removes one', async () => {
    api.on('DELETE /api/v1/auth/roles/guest', { status: 204 })
    expect((await run(['roles', 'delete', 'guest'])).stdout).toBe('Role Deleted: guest\n')
  })

  test.each([
    [['set', 'guest'], '--scopes'],
    [['set', 'guest', '--scopes', 'raed'], 'did you mean read?'],
    [['set', '../users', '--scopes', 'read'], 'is no id'],
  ])('%j is a usage error', async (args, message) => {
    const result = await run(['roles', ...args])
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain(message)
    expect(api.requests).toEqual([])
  })
})
