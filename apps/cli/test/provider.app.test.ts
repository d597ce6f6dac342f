import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SignInApi } from '../src/api/sign-in-api.js'
import { signInAtProvider } from '../src/session/provider-sign-in.js'
import { FakeApi, json, REFUSED } from './fake-api.js'
import { emptyFolder, runCaptured } from './run-captured.js'

const LOGIN = ['auth', 'login', '--provider', 'google']
const PAIR = {
  access_token: 'access-1',
  token_type: 'bearer',
  expires_in: 3600,
  refresh_token: 'refresh_1',
}

let api: FakeApi
let folder: string
beforeEach(async () => {
  api = await FakeApi.start()
  folder = emptyFolder()
  offer('google', 'azure')
  api.on('GET /api/v1/auth/me', ({ authorization }) =>
    authorization === 'Bearer access-1' ? json(ME) : REFUSED,
  )
})
afterEach(() => api.stop())

const ME = {
  ...{ id: 'usr_1', kind: 'user', name: 'Ada', email: 'ada@example.com' },
  ...{ roles: ['viewer'], scopes: ['read'], attributes: {} },
}

function offer(...names: readonly string[]): void {
  const providers = names.map((name) => ({
    name,
    display_name: name.toUpperCase(),
    authorize_url: `${api.url}/api/v1/auth/oauth/${name}/authorize`,
  }))
  api.on('GET /api/v1/auth/oauth/providers', json({ providers }))
}

/** Redeems the code of the flow whose challenge the browser was shown, once. */
function redeemFor(shown: () => URL | undefined): void {
  api.on('POST /api/v1/auth/oauth/token', ({ body }) => {
    const { code, code_verifier: verifier } = JSON.parse(body) as Record<string, string>
    const challenge = createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url')
    const isRight = code === 'one-time' && challenge === shown()?.searchParams.get('code_challenge')
    return isRight ? json(PAIR) : REFUSED
  })
}

interface Visit {
  /** Added to the redirect after the state. */
  readonly search: string
  readonly state?: string
}

async function login(...visits: readonly Visit[]) {
  let shown: URL | undefined
  redeemFor(() => shown)
  const result = await runCaptured(LOGIN, {
    folder,
    environment: { OLYTIX_URL: api.url, OLYTIX_STATE_DIR: folder },
    openBrowser: async (url) => {
      shown = url
      const { searchParams: asked } = url
      for (const { search, state = asked.get('state') ?? '' } of visits) {
        await fetch(`${asked.get('redirect_uri') ?? ''}?state=${state}&${search}`)
      }
      return true
    },
  })
  return { ...result, shown }
}

describe('auth login --provider', () => {
  test('keeps the session that the browser brings, readable to nobody else', async () => {
    const result = await login({ search: 'code=one-time' })
    expect(result).toMatchObject({ exitCode: 0 })
    expect(result.stdout).toContain('as ada@example.com')
    const file = path.join(folder, 'profile.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      session: { email: 'ada@example.com', access_token: 'access-1', refresh_token: 'refresh_1' },
    })
  })

  test('shows the browser a challenge of S256, a state and a loopback address, and writes the address', async () => {
    const { shown, stderr, stdout } = await login({ search: 'code=one-time' })
    expect(Object.fromEntries(shown?.searchParams ?? [])).toEqual({
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    expect(stderr).toContain(`\n${shown?.href ?? ''}\n`)
    expect(stdout).not.toContain('code_challenge')
  })

  test('two sign-ins share neither state nor challenge', async () => {
    const [one, other] = [
      await login({ search: 'code=one-time' }),
      await login({ search: 'code=one-time' }),
    ]
    for (const name of ['state', 'code_challenge']) {
      expect(one.shown?.searchParams.get(name)).not.toBe(other.shown?.searchParams.get(name))
    }
  })

  test('a code with the state of another sign-in is passed over', async () => {
    const result = await login(
      { search: 'code=of-an-attacker', state: 'another' },
      { search: 'code=one-time' },
    )
    expect(result.exitCode).toBe(0)
    expect(api.requests.filter(({ url }) => url.endsWith('/token'))).toHaveLength(1)
  })

  test.each([
    ['access_denied', 1, 'google or this server refused the sign-in'],
    ['temporarily_unavailable', 3, 'google does not answer the server'],
    ['server_error', 1, 'the sign-in with google failed'],
    ['%1b[2J<script>', 1, 'the sign-in with google failed'],
  ])('says what the error %s means and what to do next', async (error, exitCode, message) => {
    const result = await login({ search: `error=${error}&error_description=do-not-show` })
    expect(result).toMatchObject({ exitCode, stdout: '' })
    expect(result.stderr).toContain(`error: ${message}\n`)
    for (const text of ['do-not-show', '<script>', '\u001b']) {
      expect(result.stderr).not.toContain(text)
    }
    expect(existsSync(path.join(folder, 'profile.json'))).toBe(false)
  })

  test('a code that the server refuses leaves no session', async () => {
    const result = await login({ search: 'code=used' })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain('Run the command again.')
    expect(existsSync(path.join(folder, 'profile.json'))).toBe(false)
  })
})

describe('a sign-in of which the server then does not say whose it is', () => {
  const BROKEN = json({ error: { code: 'INTERNAL_ERROR', message: 'An error occurred' } }, 500)

  test.each([
    ['is ended again', { status: 204 }],
    ['fails for that reason, also where it cannot be ended', BROKEN],
  ])('%s', async (_what, logout) => {
    api.on('GET /api/v1/auth/me', BROKEN)
    api.on('POST /api/v1/auth/logout', logout)
    const result = await login({ search: 'code=one-time' })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(api.requests.at(-1)).toMatchObject({
      url: '/api/v1/auth/logout',
      body: '{"refresh_token":"refresh_1"}',
    })
    expect(existsSync(path.join(folder, 'profile.json'))).toBe(false)
  })
})

test('a browser in which nobody does anything ends the command with a message', async () => {
  const signIn = signInAtProvider({
    api: new SignInApi(new URL(`${api.url}/`)),
    provider: 'google',
    openBrowser: () => Promise.resolve(true),
    note: () => undefined,
    timeoutMs: 20,
  })
  await expect(signIn).rejects.toMatchObject({
    name: 'SignInFailed',
    message: 'nobody came back from the browser within 1 min',
    isUnreachable: true,
  })
})

describe('which provider', () => {
  async function ask(args: readonly string[]) {
    const environment = { OLYTIX_URL: api.url, OLYTIX_STATE_DIR: folder }
    return runCaptured(['auth', 'login', ...args], { folder, environment })
  }

  test('one that there is not: names the nearest and all', async () => {
    const { exitCode, stderr } = await ask(['--provider', 'gogle'])
    expect(exitCode).toBe(1)
    expect(stderr).toBe(
      "error: there is no provider 'gogle'; did you mean google?\nKnown are: google, azure\n",
    )
  })

  test('where there is none at all, says how to sign in instead', async () => {
    offer()
    const { exitCode, stderr } = await ask(['--provider', 'google'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('olytix-core auth login')
  })

  test('an address that is not for a browser is never opened', async () => {
    const providers = [{ name: 'google', display_name: 'G', authorize_url: 'file:///etc/passwd' }]
    api.on('GET /api/v1/auth/oauth/providers', json({ providers }))
    expect((await ask(['--provider', 'google'])).exitCode).toBe(3)
  })

  test('an e-mail address beside it is a usage error', async () => {
    expect((await ask(['--provider', 'google', '--email', 'a@b.example'])).exitCode).toBe(2)
  })
})
