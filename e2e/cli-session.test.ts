import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import {
  anEmail,
  aPassword,
  type Account,
  createUser,
  expectRefused,
  signIn,
  statusOf,
} from './harness/accounts.js'
import { type CliResult, olytixCore } from './harness/cli.js'
import { rememberSecrets } from './harness/secrets.js'
import { stack } from './harness/stack.js'

/** What somebody with an account does at a terminal; the profile is the only memory between commands. */

let folder: string
let user: Account
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-cli-'))
  user = await createUser({ roles: ['admin'] })
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function run(args: readonly string[], stdin = ''): Promise<CliResult> {
  const environment = { OLYTIX_URL: stack.query_api_url, OLYTIX_STATE_DIR: folder }
  return olytixCore(args, { environment, stdin })
}

const stored = z.looseObject({
  session: z.looseObject({ access_token: z.string(), refresh_token: z.string() }),
})

const signingKeys = z.object({
  signing_keys: z.array(z.object({ algorithm: z.string(), state: z.string() })),
})

function profile(): z.output<typeof stored> {
  const text = readFileSync(path.join(folder, 'profile.json'), 'utf8')
  rememberSecrets(text)
  return stored.parse(JSON.parse(text))
}

describe('olytix-core', () => {
  test('auth login keeps a session that other commands use and logout ends', async () => {
    const login = ['auth', 'login', '--email', user.email]
    expect(await run(login, aPassword())).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await run(login, user.password)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(readdirSync(folder)).toEqual(['profile.json'])
    expect(statSync(path.join(folder, 'profile.json')).mode & 0o777).toBe(0o600)
    const { access_token: token } = profile().session
    expect((await run(['whoami'])).stdout).toContain(user.email)
    expect((await run(['auth', 'sessions'])).stdout).toMatch(/^ses_\S+ .*this one$/m)
    expect((await run(['query', 'total_revenue', '--format', 'csv'])).stdout).toContain(
      '2297200.8603',
    )
    expect((await run(['auth', 'logout'])).exitCode).toBe(0)
    expect(readdirSync(folder)).toEqual([])
    await expectRefused(token)
  })

  test('renews a session that is used by several commands at once, and loses it in none', async () => {
    await run(['auth', 'login', '--email', user.email], user.password)
    const before = profile()
    const session = { ...before.session, expires_at: '2020-01-01T00:00:00.000Z' }
    writeFileSync(path.join(folder, 'profile.json'), JSON.stringify({ ...before, session }))
    const results = await Promise.all(Array.from({ length: 4 }, () => run(['whoami'])))
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0])
    expect(profile().session.refresh_token).not.toBe(session.refresh_token)
    expect((await run(['whoami'])).exitCode).toBe(0)
  })

  test('invites a user, who chooses a password and signs in', async () => {
    const email = anEmail()
    const created = await olytixCore(['users', 'create', '--email', email, '--json'])
    const { invite_token: token } = JSON.parse(created.stdout)
    const password = aPassword()
    const chosen = await run(['auth', 'reset-password'], `${String(token)}\n${password}\n`)
    expect(chosen).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await run(['auth', 'login', '--email', email], password)).exitCode).toBe(0)
    expect((await run(['users', 'list'])).exitCode).toBe(1)
    const next = aPassword()
    expect((await run(['auth', 'password'], `${password}\n${next}\n`)).exitCode).toBe(0)
    expect((await run(['whoami'])).exitCode).toBe(0)
    expect((await olytixCore(['users', 'disable', email])).exitCode).toBe(0)
    const refused = await run(['whoami'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('olytix-core auth login')
  })

  test('roles set, show and delete', async () => {
    expect(await olytixCore(['roles', 'set', 'e2e_cli', '--scopes', 'read,write'])).toMatchObject({
      exitCode: 0,
      stdout: 'Role Set: e2e_cli (read, write)\n',
    })
    expect((await olytixCore(['roles', 'show', 'e2e_cli'])).stdout).toContain('custom')
    expect((await olytixCore(['roles', 'delete', 'e2e_cli'])).exitCode).toBe(0)
    expect((await olytixCore(['roles', 'show', 'e2e_cli'])).exitCode).toBe(1)
  })

  test('auth signing-keys rotate signs nobody out', async () => {
    const { access_token } = await signIn(user)
    expect((await olytixCore(['auth', 'signing-keys', 'rotate'])).exitCode).toBe(0)
    const { stdout } = await olytixCore(['auth', 'signing-keys', '--json'])
    const states = signingKeys
      .parse(JSON.parse(stdout))
      .signing_keys.flatMap(({ algorithm, state }) => (algorithm === 'HS256' ? [state] : []))
    expect(states.filter((state) => state === 'active')).toHaveLength(1)
    expect(states).toContain('retiring')
    expect(await statusOf(access_token)).toBe(200)
  })
})
