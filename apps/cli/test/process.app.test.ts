import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json, REFUSED } from './fake-api.js'
import { emptyFolder, runCaptured } from './run-captured.js'

const BIN = path.resolve(import.meta.dirname, '../bin/olytix-core.js')

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
})
afterEach(() => api.stop())

async function run(
  bin: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'k' },
) {
  const env = { PATH: process.env['PATH'], ...settings }
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const exitCode = await new Promise((resolve) => child.on('close', resolve))
  return { exitCode, stdout, stderr }
}

describe('the process olytix-core', () => {
  test('answers on standard output and ends with 0', async () => {
    api.on('GET /api/v1/query/meta/metrics', { status: 200, text: '{"metrics":[]}' })
    expect(await run(BIN, ['meta', 'metrics', '--json'])).toEqual({
      exitCode: 0,
      stdout: '{\n  "metrics": []\n}\n',
      stderr: '',
    })
  })

  test('ends with 1, 2 or 3 for refused, usage and unreachable', async () => {
    expect((await run(BIN, ['whoami'])).exitCode).toBe(1)
    expect((await run(BIN, ['whoareyou'])).exitCode).toBe(2)
    const gone = await FakeApi.start()
    await gone.stop()
    expect((await run(BIN, ['whoami', '--url', gone.url])).exitCode).toBe(3)
  })

  test('renews a session once, however many run at the same time', async () => {
    const folder = emptyFolder()
    const session = {
      email: 'ada@example.com',
      access_token: 'ended',
      expires_at: '2020-01-01T00:00:00.000Z',
      refresh_token: 'refresh_1',
    }
    const profile = JSON.stringify({ url: api.url, session })
    writeFileSync(path.join(folder, 'profile.json'), profile, { mode: 0o600 })
    const next = { access_token: 'new', token_type: 'bearer', expires_in: 3600 }
    const pair = json({ ...next, refresh_token: 'refresh_2' })
    api.on('POST /api/v1/auth/refresh', ({ body }) =>
      body === '{"refresh_token":"refresh_1"}' ? pair : REFUSED,
    )
    api.on('GET /api/v1/query/meta/metrics', ({ authorization }) =>
      authorization === 'Bearer new' ? json({ metrics: [] }) : REFUSED,
    )
    const settings = { OLYTIX_STATE_DIR: folder }
    const runs = Array.from({ length: 5 }, () => run(BIN, ['meta', 'metrics'], settings))
    const codes = (await Promise.all(runs)).map(({ exitCode }) => exitCode)
    expect(codes).toEqual([0, 0, 0, 0, 0])
    expect(api.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  test('that is not built says in one line what to run', async () => {
    const folder = path.join(emptyFolder(), 'apps', 'cli', 'bin')
    mkdirSync(folder, { recursive: true })
    const copy = path.join(folder, 'olytix-core.mjs')
    cpSync(BIN, copy)
    const { exitCode, stdout, stderr } = await run(copy, ['whoami'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^olytix-core is not built yet: run `npm run build` in .*\n$/)
  })
})

describe('the command line', () => {
  test('a mistyped command is a usage error with the near name', async () => {
    const result = await runCaptured(['auth', 'crate-key'])
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain('(Did you mean create-key?)')
  })

  test('under --json a usage error is JSON too', async () => {
    const { stderr } = await runCaptured(['whoami', '--json', '--surplus'])
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'USAGE', message: "unknown option '--surplus'" },
    })
  })

  test('a group without a command shows its help as a usage error', async () => {
    const result = await runCaptured(['auth'])
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain('create-key')
  })

  test('--help and --version are answers', async () => {
    const help = await runCaptured(['query', '--help'])
    expect(help).toMatchObject({ exitCode: 0, stderr: '' })
    expect(help.stdout).toContain('--api-key-file')
    expect(await runCaptured(['--version'])).toMatchObject({ exitCode: 0, stdout: '9.9.9\n' })
  })
})
