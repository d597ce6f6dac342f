import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi } from './fake-api.js'
import { emptyFolder, runCaptured } from './run-captured.js'

const ME = '{"id":"key_1","kind":"api_key","name":"n","roles":[],"scopes":[],"attributes":{}}'

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
  api.on('GET /api/v1/auth/me', { status: 200, text: ME })
})
afterEach(() => api.stop())

/** Writes a profile and gives the path of its file. */
function writeProfile(folder: string, key: string, { mode = 0o600, url = api.url } = {}): string {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'profile.json')
  writeFileSync(file, JSON.stringify({ url, api_key: key }))
  chmodSync(file, mode)
  return file
}

function writeKey(folder: string, text: string): string {
  const file = path.join(folder, 'key')
  writeFileSync(file, text)
  return file
}

function presented(): string | undefined {
  return api.requests.at(-1)?.authorization
}

describe('the credential', () => {
  test('comes from a flag before the environment before the profile', async () => {
    const folder = emptyFolder()
    writeProfile(path.join(folder, '.olytix'), 'from-profile')
    const flagged = writeProfile(path.join(folder, 'other'), 'from-flagged-profile')
    const key = writeKey(folder, 'from-file\n')
    const environment = { OLYTIX_API_KEY: 'from-environment' }

    await runCaptured(['whoami'], { folder })
    expect(presented()).toBe('Bearer from-profile')
    await runCaptured(['whoami'], { folder, environment })
    expect(presented()).toBe('Bearer from-environment')
    await runCaptured(['whoami', '--profile', flagged], { folder, environment })
    expect(presented()).toBe('Bearer from-flagged-profile')
    await runCaptured(['--profile', 'other', 'whoami'], { folder, environment })
    expect(presented()).toBe('Bearer from-flagged-profile')
    await runCaptured(['whoami', '--profile', flagged, '--api-key-file', key], { folder })
    expect(presented()).toBe('Bearer from-file')
  })

  test('may stand in the file that OLYTIX_API_KEY_FILE names', async () => {
    const file = writeKey(emptyFolder(), 'from-named-file\n')
    const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY_FILE: file }
    expect(await runCaptured(['whoami'], { environment })).toMatchObject({ exitCode: 0 })
    expect(presented()).toBe('Bearer from-named-file')
  })

  test('of a profile is not sent to another server', async () => {
    const folder = emptyFolder()
    writeProfile(path.join(folder, '.olytix'), 'secret', { url: 'https://metrics.example.com' })
    const result = await runCaptured(['whoami', '--url', api.url], { folder })
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain('belongs to https://metrics.example.com')
    expect(result.stderr).not.toContain('secret')
    expect(api.requests).toEqual([])
  })

  test('of a profile is sent to another name of the same server', async () => {
    const folder = emptyFolder()
    const url = api.url.replace('127.0.0.1', 'localhost')
    writeProfile(path.join(folder, '.olytix'), 'secret', { url })
    expect((await runCaptured(['whoami', '--url', api.url], { folder })).exitCode).toBe(0)
  })

  test('that is missing everywhere is a usage error that names the ways to give it', async () => {
    const result = await runCaptured(['whoami', '--url', api.url])
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toMatch(/--api-key-file.*OLYTIX_API_KEY.*npm start/)
  })

  test.each(['', '\n', 'two\nlines', 'with blank', 'ä'])('%j is none', async (text) => {
    const file = writeKey(emptyFolder(), text)
    const result = await runCaptured(['whoami', '--url', api.url, '--api-key-file', file])
    expect(result).toMatchObject({ exitCode: 2, stderr: `error: ${file} holds no API key\n` })
  })
})

describe('the profile', () => {
  test('is looked for in the state folder, upward in .olytix, and in the config folder', async () => {
    const home = emptyFolder()
    const folder = path.join(home, 'project', 'deep')
    mkdirSync(folder, { recursive: true })
    writeProfile(path.join(home, '.config', 'olytix-core'), 'from-home')
    await runCaptured(['whoami'], { folder, home })
    expect(presented()).toBe('Bearer from-home')

    const config = { XDG_CONFIG_HOME: path.join(home, 'xdg') }
    writeProfile(path.join(home, 'xdg', 'olytix-core'), 'from-xdg')
    await runCaptured(['whoami'], { folder, home, environment: config })
    expect(presented()).toBe('Bearer from-xdg')

    writeProfile(path.join(home, 'project', '.olytix'), 'from-above')
    await runCaptured(['whoami'], { folder, home, environment: config })
    expect(presented()).toBe('Bearer from-above')

    writeProfile(path.join(folder, 'state'), 'from-state')
    await runCaptured(['whoami'], { folder, home, environment: { OLYTIX_STATE_DIR: 'state' } })
    expect(presented()).toBe('Bearer from-state')
  })

  test.each([0o644, 0o640, 0o604, 0o620])(
    'that others can get at (%o) is refused',
    async (mode) => {
      const folder = emptyFolder()
      const file = writeProfile(path.join(folder, '.olytix'), 'secret', { mode })
      const result = await runCaptured(['whoami'], { folder })
      expect(result.exitCode).toBe(2)
      expect(result.stderr).toContain(`chmod 600 ${file}`)
      expect(api.requests).toEqual([])
    },
  )

  test("in somebody else's .olytix is passed over", async () => {
    const folder = emptyFolder()
    writeProfile(path.join(folder, '.olytix'), 'planted')
    const linked = emptyFolder()
    symlinkSync(path.join(folder, '.olytix'), path.join(linked, '.olytix'))
    for (const where of [folder, linked]) {
      const result = await runCaptured(['whoami'], { folder: where, userId: 4242 })
      expect(result).toMatchObject({ exitCode: 2 })
    }
    expect(api.requests).toEqual([])
  })

  test.each(['{', '[]', '{"url":"http://localhost:8000"}', '{"url":1,"api_key":"k"}'])(
    'that says %s is refused',
    async (text) => {
      const folder = emptyFolder()
      const file = writeProfile(folder, 'x')
      writeFileSync(file, text)
      const result = await runCaptured(['whoami', '--profile', folder])
      expect(result).toMatchObject({ exitCode: 2 })
      expect(result.stderr).toContain(`${file} is no profile`)
    },
  )

  test('that a flag names must be there', async () => {
    const result = await runCaptured(['whoami', '--profile', 'absent'])
    expect(result).toMatchObject({ exitCode: 2 })
    expect(result.stderr).toContain('there is no profile at')
  })
})

describe('the server', () => {
  const key = { OLYTIX_API_KEY: 'olytix-core_key_mine' }

  test('that does not answer is exit code 3', async () => {
    await api.stop()
    const result = await runCaptured(['whoami', '--url', api.url], { environment: key })
    expect(result).toMatchObject({ exitCode: 3, stdout: '' })
    expect(result.stderr).toMatch(/no answer from .*ECONNREFUSED.*\nIs it running\? `npm start`/)
    api = await FakeApi.start()
  })

  test.each([
    [200, '<html>hello</html>'],
    [200, '{"id":1}'],
    [404, '<html>not found</html>'],
    [502, ''],
    [302, ''],
  ])('that is another one (%d %s) is exit code 3', async (status, text) => {
    api.on('GET /api/v1/auth/me', { status, text, headers: { location: `${api.url}/elsewhere` } })
    const result = await runCaptured(['whoami', '--url', api.url], { environment: key })
    expect(result).toMatchObject({ exitCode: 3, stdout: '' })
    expect(result.stderr).toContain('is not Olytix Core')
    expect(api.requests).toHaveLength(1)
  })

  test('that has lost its database is exit code 3', async () => {
    const text = '{"error":{"code":"UNAVAILABLE","message":"identity does not answer"}}'
    api.on('GET /api/v1/auth/me', { status: 503, text })
    const result = await runCaptured(['whoami', '--url', api.url], { environment: key })
    expect(result).toMatchObject({ exitCode: 3, stderr: 'error: identity does not answer\n' })
  })

  test('that refuses the key is exit code 1, and the message says where the key came from', async () => {
    const text = '{"error":{"code":"UNAUTHORIZED","message":"Invalid or missing authentication"}}'
    api.on('GET /api/v1/auth/me', { status: 401, text })
    const result = await runCaptured(['whoami', '--url', api.url], { environment: key })
    expect(result).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: Invalid or missing authentication\nThe key came from OLYTIX_API_KEY.\n',
    })
  })

  test('may stand below a path', async () => {
    api.on('GET /olytix/api/v1/auth/me', { status: 200, text: ME })
    const args = ['whoami', '--url', `${api.url}/olytix`]
    expect((await runCaptured(args, { environment: key })).exitCode).toBe(0)
  })

  test.each(['localhost:8000', 'ftp://localhost', 'http://me:hunter2@localhost', 'x', ''])(
    'must be a plain URL, not %j',
    async (url) => {
      const result = await runCaptured(['whoami', '--url', url], { environment: key })
      expect(result.exitCode).toBe(2)
      expect(result.stderr).toContain('http://localhost:8000')
      expect(result.stderr).not.toContain('hunter2')
    },
  )
})
