import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json, REFUSED } from './fake-api.js'
import { emptyFolder, runCaptured } from './run-captured.js'

const ME = {
  id: 'usr_1',
  kind: 'user',
  name: 'Ada',
  email: 'ada@example.com',
  roles: ['viewer'],
  scopes: ['read'],
  attributes: {},
}
const LOGIN = ['auth', 'login', '--email', 'ada@example.com']

/** One session at the server: access tokens `access-n`, refresh tokens `refresh_n`; a replay kills it. */
class FakeSession {
  counter = 0
  isDead = false
  refreshes = 0

  constructor(api: FakeApi) {
    api.on('POST /api/v1/auth/token', () => this.pair())
    api.on('POST /api/v1/auth/logout', () => {
      this.isDead = true
      return { status: 204 }
    })
    api.on('GET /api/v1/auth/me', ({ authorization }) =>
      !this.isDead && authorization === `Bearer access-${String(this.counter)}`
        ? json(ME)
        : REFUSED,
    )
    api.on('POST /api/v1/auth/refresh', ({ body }) => {
      this.refreshes += 1
      const isCurrent = body === `{"refresh_token":"refresh_${String(this.counter)}"}`
      if (!isCurrent || this.isDead) {
        this.isDead = true
        return REFUSED
      }
      this.counter += 1
      return this.pair()
    })
  }

  private pair() {
    return json({
      access_token: `access-${String(this.counter)}`,
      token_type: 'bearer',
      expires_in: 3600,
      refresh_token: `refresh_${String(this.counter)}`,
    })
  }
}

let api: FakeApi
let server: FakeSession
let folder: string
beforeEach(async () => {
  api = await FakeApi.start()
  server = new FakeSession(api)
  folder = emptyFolder()
})
afterEach(() => api.stop())

function run(args: readonly string[], stdin?: string) {
  const environment = { OLYTIX_URL: api.url, OLYTIX_STATE_DIR: folder }
  return runCaptured(args, { folder, environment, ...(stdin === undefined ? {} : { stdin }) })
}

function profileFile(): string {
  return path.join(folder, 'profile.json')
}

/** A session whose access token ends then. */
function storeSession(endsInMs: number): void {
  const session = {
    email: 'ada@example.com',
    access_token: 'access-0',
    expires_at: new Date(Date.now() + endsInMs).toISOString(),
    refresh_token: 'refresh_0',
  }
  writeFileSync(profileFile(), JSON.stringify({ url: api.url, session }), { mode: 0o600 })
}

function stored() {
  const text = readFileSync(profileFile(), 'utf8')
  const profile: Readonly<Record<string, unknown>> = JSON.parse(text)
  return profile
}

describe('auth login', () => {
  test('keeps the session in a profile that nobody else can read, and calls use it', async () => {
    const result = await run(LOGIN, 'correct horse battery staple\n')
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout).toContain(`Signed in to ${api.url}/ as ada@example.com.`)
    expect(result.stdout).toContain(profileFile())
    expect(result.stdout).not.toMatch(/access-0|refresh_0/)
    expect(api.requests[0]).toEqual({
      method: 'POST',
      url: '/api/v1/auth/token',
      authorization: undefined,
      body: '{"username":"ada@example.com","password":"correct horse battery staple"}',
    })
    expect(statSync(profileFile()).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['profile.json'])
    expect((await run(['whoami'])).stdout).toContain('ada@example.com')
  })

  test('takes the password to the letter, blanks included', async () => {
    await run(LOGIN, '  a pass phrase  \r\n')
    expect(api.requests[0]?.body).toContain('"password":"  a pass phrase  "')
  })

  test('makes the profile in the config folder when there is none', async () => {
    const home = emptyFolder()
    const args = [...LOGIN, '--url', api.url]
    expect(await runCaptured(args, { folder, home, stdin: 'p' })).toMatchObject({ exitCode: 0 })
    const file = path.join(home, '.config', 'olytix-core', 'profile.json')
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
    expect(existsSync(file)).toBe(true)
    expect((await runCaptured(['whoami'], { folder, home })).exitCode).toBe(0)
  })

  test('keeps the API key of the profile and goes before it', async () => {
    writeFileSync(profileFile(), JSON.stringify({ url: api.url, api_key: 'k' }), { mode: 0o600 })
    await run(LOGIN, 'p')
    expect(stored()).toMatchObject({ api_key: 'k', session: { access_token: 'access-0' } })
    expect((await run(['whoami'])).exitCode).toBe(0)
    await run(['auth', 'logout'])
    expect(stored()).toEqual({ url: api.url, api_key: 'k' })
  })

  test('ends the session that the profile held before', async () => {
    storeSession(60_000)
    await run(LOGIN, 'p')
    expect(api.requests.at(-1)).toMatchObject({
      url: '/api/v1/auth/logout',
      body: '{"refresh_token":"refresh_0"}',
    })
  })

  test('with a wrong password is refused, says why, and writes nothing', async () => {
    api.on('POST /api/v1/auth/token', REFUSED)
    expect(await run(LOGIN, 'wrong')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'error: Invalid or missing authentication\nE-mail address or password is wrong, or the account cannot sign in.\n',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test("does not overwrite another server's profile", async () => {
    const other = JSON.stringify({ url: 'https://metrics.example.com', api_key: 'k' })
    writeFileSync(profileFile(), other, { mode: 0o600 })
    const result = await run(LOGIN, 'p')
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain('--profile')
    expect(readFileSync(profileFile(), 'utf8')).toBe(other)
    const elsewhere = ['--profile', path.join(folder, 'other.json')]
    expect((await run([...LOGIN, '--url', api.url, ...elsewhere], 'p')).exitCode).toBe(0)
    expect((await run(['whoami', ...elsewhere])).exitCode).toBe(0)
  })

  test('says that OLYTIX_API_KEY goes before the session', async () => {
    const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'k', OLYTIX_STATE_DIR: folder }
    const { stderr } = await runCaptured(LOGIN, { folder, environment, stdin: 'p' })
    expect(stderr).toContain('OLYTIX_API_KEY is set and goes before this session')
  })

  test.each([
    [['auth', 'login'], 'p', '--email'],
    [LOGIN, '', 'no password on standard input'],
    [[...LOGIN, '--password', 'hunter2'], 'p', '--password'],
    [[...LOGIN, 'hunter2'], 'p', 'too many arguments'],
  ])('%j with %j on standard input is a usage error', async (args, stdin, message) => {
    const result = await run(args, stdin)
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain(message)
    expect(result.stderr).not.toContain('hunter2')
    expect(api.requests).toEqual([])
  })
})

describe('a session', () => {
  test('whose access token has ended is renewed before the call', async () => {
    storeSession(-1000)
    expect((await run(['whoami'])).exitCode).toBe(0)
    expect(api.requests.map(({ url }) => url)).toEqual(['/api/v1/auth/refresh', '/api/v1/auth/me'])
    expect(stored()).toMatchObject({
      session: {
        email: 'ada@example.com',
        access_token: 'access-1',
        refresh_token: 'refresh_1',
      },
    })
    expect(statSync(profileFile()).mode & 0o777).toBe(0o600)
    await run(['whoami'])
    expect(server.refreshes).toBe(1)
  })

  test('whose access token is refused is renewed, and the call sent once more', async () => {
    storeSession(3_600_000)
    server.counter = 1
    api.on('POST /api/v1/auth/refresh', () => {
      server.counter = 2
      return json({
        access_token: 'access-2',
        token_type: 'bearer',
        expires_in: 3600,
        refresh_token: 'refresh_2',
      })
    })
    expect((await run(['whoami'])).exitCode).toBe(0)
    expect(api.requests.map(({ url }) => url)).toEqual([
      '/api/v1/auth/me',
      '/api/v1/auth/refresh',
      '/api/v1/auth/me',
    ])
  })

  test.each([-1000, 3_600_000])(
    'that is over (access token ends in %d ms) is refused once, with what to do',
    async (endsInMs) => {
      storeSession(endsInMs)
      server.isDead = true
      const result = await run(['whoami'])
      expect(result).toMatchObject({ exitCode: 1, stdout: '' })
      expect(result.stderr).toContain('olytix-core auth login')
      expect(result.stderr).not.toMatch(/access-0|refresh_0/)
      expect(server.refreshes).toBe(1)
      expect(readdirSync(folder)).toEqual(['profile.json'])
    },
  )

  test('is kept when the server cannot be asked for a new token', async () => {
    storeSession(-1000)
    api.on('POST /api/v1/auth/refresh', {
      status: 503,
      text: '{"error":{"code":"UNAVAILABLE","message":"identity does not answer"}}',
    })
    const before = stored()
    expect((await run(['whoami'])).exitCode).toBe(3)
    expect(stored()).toEqual(before)
  })

  test('is renewed once by many commands at the same time, and lost by none', async () => {
    storeSession(-1000)
    const results = await Promise.all(Array.from({ length: 12 }, () => run(['whoami'])))
    expect(results.map(({ exitCode }) => exitCode)).toEqual(Array(12).fill(0))
    expect(server.refreshes).toBe(1)
    expect(readdirSync(folder)).toEqual(['profile.json'])
  })

  test('is renewed behind a link without replacing the link', async () => {
    const real = emptyFolder()
    storeSession(-1000)
    const moved = path.join(real, 'kept.json')
    writeFileSync(moved, readFileSync(profileFile()), { mode: 0o600 })
    const linked = path.join(real, 'linked.json')
    symlinkSync(moved, linked)
    expect((await run(['whoami', '--profile', linked])).exitCode).toBe(0)
    expect(readFileSync(moved, 'utf8')).toContain('refresh_1')
    expect(readdirSync(real).toSorted()).toEqual(['kept.json', 'linked.json'])
  })

  test('is not held up by the lock of a process that has died', async () => {
    storeSession(-1000)
    writeFileSync(`${profileFile()}.lock`, `999999999 ${hostname()} x`)
    expect((await run(['whoami'])).exitCode).toBe(0)
    expect(readdirSync(folder)).toEqual(['profile.json'])
  })
})

describe('auth logout', () => {
  test('ends the session at the server and removes what is left of the profile', async () => {
    storeSession(60_000)
    expect(await run(['auth', 'logout'])).toEqual({
      exitCode: 0,
      stdout: 'Signed out: ada@example.com\n',
      stderr: '',
    })
    expect(server.isDead).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  test('without a session changes nothing', async () => {
    const result = await run(['auth', 'logout'])
    expect(result.exitCode).toBe(0)
    expect(result.stdout).toContain('Nobody is signed in')
    expect(api.requests).toEqual([])
  })

  test('keeps the session when the server does not answer', async () => {
    storeSession(60_000)
    await api.stop()
    expect((await run(['auth', 'logout'])).exitCode).toBe(3)
    expect(existsSync(profileFile())).toBe(true)
    api = await FakeApi.start()
  })
})

describe('a folder that cannot be written', () => {
  test('is a usage error that names the profile', async () => {
    const blocked = path.join(folder, 'blocked')
    writeFileSync(blocked, '')
    const args = [...LOGIN, '--url', api.url, '--profile', path.join(blocked, 'profile.json')]
    const result = await run(args, 'p')
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toMatch(/cannot (write|read) .*blocked/)
  })

  test('leaves no session behind that nobody could end', async () => {
    const gone = path.join(folder, 'gone')
    symlinkSync(path.join(folder, 'nowhere'), gone)
    const args = [...LOGIN, '--url', api.url, '--profile', path.join(gone, 'profile.json')]
    expect(await run(args, 'p')).toMatchObject({ exitCode: 2, stdout: '' })
    expect(server.isDead).toBe(true)
  })
})
