import { randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { aPassword, asAdmin, createUser, pairOf, refresh, signIn } from './harness/accounts.js'
import { olytixCore } from './harness/cli.js'
import { ask, createKey } from './harness/http.js'
import { stack } from './harness/stack.js'

const page = z.object({
  events: z.array(
    z.looseObject({
      id: z.string(),
      event_type: z.string(),
      timestamp: z.iso.datetime(),
      request_id: z.string().nullable(),
      user_id: z.string().nullable(),
      subject: z.string().nullable(),
      client_ip: z.string().nullable(),
      access_granted: z.boolean(),
      denial_reason: z.string().nullable(),
      additional_data: z.record(z.string(), z.unknown()),
    }),
  ),
  next_page_token: z.string().nullable(),
})
type Event = z.output<typeof page>['events'][number]

async function listEvents(search: string): Promise<readonly Event[]> {
  const answer = await asAdmin('GET', `audit?${search}`)
  expect(answer.status).toBe(200)
  return page.parse(JSON.parse(answer.text)).events
}

/** Refusals are counted in memory and written after a while. */
async function eventOf(search: string, found: (event: Event) => boolean): Promise<Event> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const event = (await listEvents(search)).find(found)
    if (event) return event
    if (Date.now() > deadline) throw new Error(`no such event under ${search}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe('every change', () => {
  test('leaves an event that says who, what, on whom, from where and in which request', async () => {
    const requestId = randomUUID()
    const { id } = await createKey()
    const answer = await ask(`/api/v1/auth/keys/${id}`, {
      method: 'PATCH',
      key: stack.admin_api_key,
      body: { name: 'renamed' },
      headers: { 'X-Request-Id': requestId },
    })
    expect(answer.headers['x-request-id']).toBe(requestId)
    const events = await listEvents(`subject=${id}`)
    expect(events.map((event) => event.event_type)).toEqual(['key_updated', 'key_created'])
    expect(events[0]).toMatchObject({
      request_id: requestId,
      subject: id,
      user_id: expect.stringMatching(/^(key|usr)_/),
      client_ip: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      access_granted: true,
      denial_reason: null,
    })
    expect(JSON.stringify(events[0]?.additional_data)).toMatch(/e2e.*renamed|renamed.*e2e/)
  })

  test.each([
    ['user_created', undefined],
    ['user_updated', { name: 'renamed' }],
    ['user_disabled', { disabled: true }],
  ])('%s is one of them', async (type, change) => {
    const { id } = await createUser()
    if (change) await asAdmin('PATCH', `users/${id}`, change)
    const [newest] = await listEvents(`subject=${id}&type=${type}`)
    expect(newest).toMatchObject({ event_type: type, subject: id })
  })

  test('of a session too: a refresh token that was used before is reported as stolen', async () => {
    const user = await createUser()
    const { refresh_token: first } = await signIn(user)
    const { refresh_token: second } = pairOf(await refresh(first))
    await refresh(second)
    expect((await refresh(first)).status).toBe(401)
    const [newest] = await listEvents('type=refresh_reuse_detected&page_size=1')
    expect(JSON.stringify(newest)).toContain(user.id)
  })

  test('never holds a secret', async () => {
    const user = await createUser()
    const pair = await signIn(user)
    const events = await listEvents(`subject=${user.id}`)
    expect(events.map((event) => event.event_type)).toContain('user_created')
    const trail = JSON.stringify(await listEvents('page_size=1000'))
    expect(trail).toContain('session_created')
    for (const secret of [user.password, pair.refresh_token, pair.access_token]) {
      expect(trail).not.toContain(secret)
    }
  })
})

describe('every refusal', () => {
  test.each([
    ['lacks a scope', 'insufficient_scope', 403],
    ['is revoked', 'revoked_credential', 401],
    ['is disabled', 'disabled_credential', 401],
  ])(
    'of a key that %s leaves an event with the request and the true cause',
    async (_what, reason, status) => {
      const { id, key } = await createKey()
      if (reason === 'revoked_credential') await asAdmin('DELETE', `keys/${id}`)
      if (reason === 'disabled_credential') await asAdmin('PATCH', `keys/${id}`, { disabled: true })
      const requestId = randomUUID()
      const headers = { 'X-Request-Id': requestId }
      let answer = await ask('/api/v1/auth/keys', { key, headers })
      const deadline = Date.now() + 1_000
      while (answer.status !== status && Date.now() < deadline) {
        answer = await ask('/api/v1/auth/keys', { key, headers })
      }
      expect(answer.status).toBe(status)
      const event = await eventOf(`subject=${id}`, ({ denial_reason }) => denial_reason === reason)
      expect(event).toMatchObject({ request_id: requestId, access_granted: false })
    },
  )

  test('of a sign-in leaves an event with the request and the true cause', async () => {
    const { email } = await createUser()
    const requestId = randomUUID()
    const answer = await ask('/api/v1/auth/token', {
      method: 'POST',
      body: { username: email, password: aPassword() },
      headers: { 'X-Request-Id': requestId },
    })
    expect(answer.status).toBe(401)
    const event = await eventOf('type=authentication', (found) => found.request_id === requestId)
    expect(event).toMatchObject({ access_granted: false, denial_reason: 'wrong_password' })
  })

  test('of a request without any credential leaves an event, or is counted', async () => {
    // Here, too, other tests may have used up the minute's events.
    const since = Date.now() - 60_000
    expect((await ask('/api/v1/query/meta/cubes')).status).toBe(401)
    const event = await eventOf(
      'type=authentication',
      ({ denial_reason: reason, timestamp }) =>
        reason === 'missing_credential' && Date.parse(timestamp) >= since,
    )
    expect(event).toMatchObject({ access_granted: false, user_id: null })
  })

  test('of a credential that nobody has leaves an event, or is counted, without its text', async () => {
    // The first of each cause, network and minute have events of their own; other tests may have made those.
    const since = Date.now() - 60_000
    const text = `e2e-${randomUUID()}`
    await ask('/api/v1/auth/me', { key: text })
    const event = await eventOf(
      'type=authentication',
      ({ denial_reason: reason, timestamp }) =>
        reason === 'malformed_credential' && Date.parse(timestamp) >= since,
    )
    expect(event).toMatchObject({ access_granted: false, user_id: null })
    expect(JSON.stringify(await listEvents('page_size=1000'))).not.toContain(text)
  })
})

describe('olytix-core auth audit', () => {
  test('lists events by type and time', async () => {
    await createKey()
    const since = new Date(Date.now() - 3_600_000).toISOString()
    const args = ['auth', 'audit', '--type', 'key_created', '--from', since, '--limit', '2']
    const result = await olytixCore(args)
    expect(result.exitCode).toBe(0)
    expect(result.stdout.trim().split('\n')).toHaveLength(4)
    expect(result.stdout).not.toMatch(/user_created/)
    const future = new Date(Date.now() + 3_600_000).toISOString()
    const none = await olytixCore(['auth', 'audit', '--from', future, '--json'])
    expect(JSON.parse(none.stdout)).toEqual({ events: [] })
  })

  test('verify finds the trail intact, and gives the hash that anchors it', async () => {
    const result = await olytixCore(['auth', 'audit', 'verify', '--json'])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    const check = z.object({
      intact: z.literal(true),
      events_checked: z.int().min(1),
      head_hash: z.string().regex(/^[0-9a-f]{64}$/),
    })
    expect(check.safeParse(JSON.parse(result.stdout)).error).toBeUndefined()
  })

  test('is for admins alone', async () => {
    const { key } = await createKey({ scopes: ['read', 'write'] })
    expect((await olytixCore(['auth', 'audit'], { key })).exitCode).toBe(1)
    expect((await olytixCore(['auth', 'audit', 'verify'], { key })).exitCode).toBe(1)
  })
})
