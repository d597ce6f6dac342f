import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json, REFUSED } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
})
afterEach(() => api.stop())

function run(args: readonly string[], stdin?: string): Promise<Captured> {
  const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' }
  return runCaptured(args, { environment, ...(stdin === undefined ? {} : { stdin }) })
}

describe('auth password', () => {
  test('reads the present and the new one, each on a line', async () => {
    api.on('POST /api/v1/auth/password', { status: 204 })
    expect(await run(['auth', 'password'], 'the old one\n the new one \n')).toEqual({
      exitCode: 0,
      stdout: 'Password Changed: your other sessions have ended.\n',
      stderr: '',
    })
    expect(api.requests[0]?.body).toBe(
      '{"current_password":"the old one","new_password":" the new one "}',
    )
  })

  test('without a new one is a usage error', async () => {
    expect((await run(['auth', 'password'], 'the old one\n')).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })

  test('that breaks a rule is refused with what the server says of it', async () => {
    const details = [{ path: 'new_password', message: 'must have at least 12 characters' }]
    const error = { code: 'INVALID_REQUEST', message: 'The request is not valid', details }
    api.on('POST /api/v1/auth/password', json({ error }, 400))
    const { exitCode, stderr } = await run(['auth', 'password'], 'old\nnew\n')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('new_password: must have at least 12 characters')
  })
})

describe('auth reset-password', () => {
  test('redeems a token without any other credential', async () => {
    api.on('POST /api/v1/auth/password/reset', { status: 204 })
    const environment = { OLYTIX_URL: api.url }
    const stdin = 'reset_abc\nthe new password\n'
    const result = await runCaptured(['auth', 'reset-password'], { environment, stdin })
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout).toContain('Next: olytix-core auth login')
    expect(api.requests).toEqual([
      {
        method: 'POST',
        url: '/api/v1/auth/password/reset',
        authorization: undefined,
        body: '{"token":"reset_abc","new_password":"the new password"}',
      },
    ])
  })

  test('takes no token as an argument', async () => {
    const result = await run(['auth', 'reset-password', 'reset_abc'], 'x')
    expect(result.exitCode).toBe(2)
    expect(result.stderr).not.toContain('reset_abc')
  })

  test('of a used token is refused', async () => {
    api.on('POST /api/v1/auth/password/reset', REFUSED)
    expect((await run(['auth', 'reset-password'], 'reset_abc\nnew\n')).exitCode).toBe(1)
  })
})

describe('auth sessions', () => {
  const session = {
    id: 'ses_01',
    created_at: '2026-11-24T10:00:00.000Z',
    last_used_at: '2026-11-24T11:00:00.000Z',
    expires_at: '2026-12-24T10:00:00.000Z',
    client_ip: '10.1.2.3',
    user_agent: 'curl\u001b[2J',
    current: true,
  }

  test('lists them, whatever a client calls itself', async () => {
    const other = { ...session, id: 'ses_02', user_agent: null, current: false }
    api.on('GET /api/v1/auth/sessions', json({ sessions: [session, other], next_page_token: null }))
    const { stdout } = await run(['auth', 'sessions'])
    expect(stdout).toMatch(/^ses_01 .* 10\.1\.2\.3 .*curl\\u001b\[2J\s+this one$/m)
    expect(stdout).toMatch(/^ses_02 .* 10\.1\.2\.3$/m)
    expect(JSON.parse((await run(['auth', 'sessions', '--json'])).stdout)).toEqual({
      sessions: [session, other],
    })
  })

  test('end-session ends one', async () => {
    api.on('DELETE /api/v1/auth/sessions/ses_02', { status: 204 })
    expect((await run(['auth', 'end-session', 'ses_02'])).stdout).toBe('Session Ended: ses_02\n')
  })
})

describe('auth signing-keys', () => {
  const key = {
    id: 'sgn_01',
    algorithm: 'HS256',
    state: 'active',
    created_at: '2026-11-24T10:00:00.000Z',
    activated_at: '2026-11-24T11:00:00.000Z',
    retired_at: null,
    revoked_at: null,
  }

  test('lists them', async () => {
    const answer = { signing_keys: [key], next_page_token: null }
    api.on('GET /api/v1/auth/signing-keys', json(answer))
    expect((await run(['auth', 'signing-keys'])).stdout).toMatch(/^sgn_01 {2}HS256 +active /m)
    expect(JSON.parse((await run(['auth', 'signing-keys', '--json'])).stdout)).toEqual({
      signing_keys: [key],
    })
  })

  test('rotate and revoke say what follows', async () => {
    api.on('POST /api/v1/auth/signing-keys/rotate', json(key))
    api.on('DELETE /api/v1/auth/signing-keys/sgn_01', { status: 204 })
    expect((await run(['auth', 'signing-keys', 'rotate'])).stdout).toBe(
      'Signing Key Rotated: sgn_01 signs from now on\n',
    )
    expect((await run(['auth', 'signing-keys', 'revoke', 'sgn_01'])).stdout).toContain(
      'Every token that it signed is refused',
    )
    expect((await run(['auth', 'signing-keys', 'rotat'])).exitCode).toBe(2)
    expect(api.requests).toHaveLength(2)
  })
})

describe('auth audit', () => {
  const event = {
    id: 'evt_02',
    event_type: 'authentication',
    timestamp: '2026-11-24T10:00:00.000Z',
    request_id: 'req-00000001',
    user_id: null,
    user_email: null,
    user_roles: [],
    client_ip: '10.1.2.3',
    subject: 'key_01',
    access_granted: false,
    denial_reason: 'revoked',
    additional_data: {},
  }
  const done = {
    ...event,
    id: 'evt_01',
    event_type: 'key_created',
    user_id: 'usr_1',
    user_email: 'ada@example.com',
    access_granted: true,
    denial_reason: null,
  }

  test('shows what happened, newest first', async () => {
    const path =
      '/api/v1/auth/audit?type=authentication&subject=key_01&from=2026-11-24&page_size=100'
    api.on(`GET ${path}`, json({ events: [event, done], next_page_token: null }))
    const filters = ['--type', 'authentication', '--subject', 'key_01', '--from', '2026-11-24']
    expect((await run(['auth', 'audit', ...filters])).stdout).toBe(
      `time                      type            by               on      address   outcome           request
------------------------  --------------  ---------------  ------  --------  ----------------  ------------
2026-11-24T10:00:00.000Z  authentication                   key_01  10.1.2.3  refused: revoked  req-00000001
2026-11-24T10:00:00.000Z  key_created     ada@example.com  key_01  10.1.2.3  granted           req-00000001
`,
    )
    const { stdout } = await run(['auth', 'audit', ...filters, '--json'])
    expect(JSON.parse(stdout)).toEqual({ events: [event, done] })
  })

  test('reads as many pages as the limit needs, and says that there is more', async () => {
    const page = { events: [event, event], next_page_token: 'n' }
    api.on('GET /api/v1/auth/audit?page_size=3', json(page))
    api.on('GET /api/v1/auth/audit?page_size=3&page_token=n', json(page))
    const result = await run(['auth', 'audit', '--limit', '3', '--json'])
    const { events }: { events: unknown[] } = JSON.parse(result.stdout)
    expect(events).toHaveLength(3)
    expect(result.stderr).toContain('There are older ones')
    expect(api.requests).toHaveLength(2)
  })

  test.each([
    [{ intact: true, events_checked: 12, first_broken_id: null }, 0, 'Intact: 12 events'],
    [
      { intact: true, events_checked: 12, first_broken_id: null, head_hash: 'ab12' },
      0,
      'Hash of the last one: ab12',
    ],
    [{ intact: false, events_checked: 7, first_broken_id: 'evt_07' }, 1, 'BROKEN at evt_07'],
  ])('verify of %j ends with %d', async (check, exitCode, text) => {
    api.on('POST /api/v1/auth/audit/verify', json(check))
    const result = await run(['auth', 'audit', 'verify'])
    expect(result).toMatchObject({ exitCode, stderr: '' })
    expect(result.stdout).toContain(text)
    const asJson = await run(['auth', 'audit', 'verify', '--json'])
    expect(asJson.exitCode).toBe(exitCode)
    expect(JSON.parse(asJson.stdout)).toEqual(check)
  })

  test.each([
    ['--limit', '0'],
    ['--limit', '1e3'],
    ['--from', 'x'],
  ])('%s %s is a usage error', async (...args) => {
    expect((await run(['auth', 'audit', ...args])).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })
})
