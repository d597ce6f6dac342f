import { setTimeout } from 'node:timers/promises'
import { credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { CachingAuthorizer, GrpcAuthorizer } from '@olytix/auth-guards'
import { TcpGate } from '@olytix/postgres/testing'
import { ask, createKey, fieldsOf } from './harness/http.js'
import { stack } from './harness/stack.js'

const ROUNDS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 10)
/** The bound of the documentation. */
const BOUND_MS = 1_000
/** How long a guard that hears nothing may take what it knew for true. */
const SILENCE_MS = 2_000

/** A guard of some other service: it hears of changes by its stream alone, through a gate. */
let gate: TcpGate
let identity: GrpcAuthorizer
let guard: CachingAuthorizer

beforeEach(async () => {
  gate = await TcpGate.before(stack.identity_address ?? '')
  const channel = credentials.createInsecure()
  identity = new GrpcAuthorizer({ address: gate.address, channel, serviceToken: undefined })
  guard = new CachingAuthorizer(identity)
  guard.start()
})

afterEach(async () => {
  await guard.close()
  identity.close()
  await gate.stop()
})

function decide(key: string, fresh = false): Promise<string> {
  const question = {
    credential: { text: key, source: 'header' as const },
    requiredScopes: ['read' as const],
    resource: 'GET /',
    clientIp: '127.0.0.1',
    requestId: 'request-of-a-guard',
    fresh,
  }
  return guard.authorize(question).then(
    ({ decision }) => decision,
    () => 'undecided',
  )
}

/** Asks every 10 ms until the decision is one of these; how long that took, and what was decided before. */
async function until(key: string, wanted: string): Promise<{ tookMs: number; before: string[] }> {
  const start = performance.now()
  const before = new Set<string>()
  for (;;) {
    const decision = await decide(key)
    const tookMs = performance.now() - start
    if (decision === wanted || tookMs > 10_000) return { tookMs, before: [...before] }
    before.add(decision)
    await setTimeout(10)
  }
}

async function warmKey(): Promise<{ id: string; key: string }> {
  const made = await createKey()
  expect(await until(made.key, 'allow')).toMatchObject({ before: [] })
  return made
}

async function revoke(id: string): Promise<void> {
  const { status } = await ask(`/api/v1/auth/keys/${id}`, {
    method: 'DELETE',
    key: stack.admin_api_key,
  })
  expect(status).toBe(204)
}

test(
  'a key that was revoked elsewhere is refused here within a second, however warm it was',
  async () => {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await warmKey()
      await revoke(id)
      const { tookMs, before } = await until(key, 'unidentified')
      expect(before.filter((decision) => decision !== 'allow')).toEqual([])
      times.push(tookMs)
    }
    expect(Math.max(...times)).toBeLessThan(BOUND_MS)
  },
  60_000 + ROUNDS * 2_000,
)

test('every change to a key is here within a second what identity itself says of it', async () => {
  const { id, key } = await warmKey()
  const change = async (body: object): Promise<void> => {
    const path = `/api/v1/auth/keys/${id}`
    const answer = await ask(path, { method: 'PATCH', key: stack.admin_api_key, body })
    expect(answer).toMatchObject({ status: 200 })
  }
  const changes: [object, string][] = [
    [{ scopes: ['write'] }, 'refused'],
    [{ scopes: ['read'] }, 'allow'],
    [{ disabled: true }, 'unidentified'],
    [{ disabled: false }, 'allow'],
    [{ allowed_ips: ['192.0.2.0/24'] }, 'refused'],
    [{ allowed_ips: [] }, 'allow'],
    [{ rate_limit: { requests: 1, per_seconds: 60 } }, 'rate_limited'],
  ]
  for (const [body, expected] of changes) {
    await change(body)
    const { tookMs } = await until(key, expected)
    expect(tookMs).toBeLessThan(BOUND_MS)
    expect(await decide(key, true)).toBe(expected)
  }
})

describe('a guard that hears nothing', () => {
  test('because its line is cut decides nothing by what it knew, and hears later what it missed', async () => {
    const { id, key } = await warmKey()
    const other = await warmKey()
    gate.cut()
    await until(key, 'undecided')
    await revoke(id)
    expect(await decide(key)).toBe('undecided')
    gate.restore()
    expect(await until(key, 'unidentified')).toMatchObject({ before: ['undecided'] })
    expect(await decide(other.key)).toBe('allow')
  })

  test('because its line stalls stops to let pass two seconds later at most', async () => {
    const { id, key } = await warmKey()
    gate.holdReplies()
    await revoke(id)
    const start = performance.now()
    while ((await decide(key)) === 'allow') await setTimeout(10)
    expect(performance.now() - start).toBeLessThan(SILENCE_MS + BOUND_MS)
    // It finds another line by itself, and never lets pass again.
    const { before } = await until(key, 'unidentified')
    expect(before).not.toContain('allow')
  })

  test('in time, because its line is slow, believes none of it', async () => {
    const { id, key } = await warmKey()
    gate.replyDelayMs = SILENCE_MS * 2
    await revoke(id)
    await setTimeout(SILENCE_MS + BOUND_MS)
    expect(await decide(key)).toBe('undecided')
    gate.replyDelayMs = 0
    gate.cut()
    gate.restore()
    expect(await until(key, 'unidentified')).toMatchObject({ before: ['undecided'] })
  })
})

test('a thousand calls at once while the key is revoked: none passes after the bound', async () => {
  const { id, key } = await warmKey()
  let revokedAt = Infinity
  const late = new Set<string>()
  const worker = async (): Promise<void> => {
    for (let use = 0; use < 50; use += 1) {
      const startedAt = performance.now()
      const decision = await decide(key)
      if (startedAt > revokedAt + BOUND_MS) late.add(decision)
      await setTimeout(20)
    }
  }
  const workers = Array.from({ length: 20 }, worker)
  await revoke(id)
  revokedAt = performance.now()
  await Promise.all(workers)
  expect(late).not.toContain('allow')
  expect(await decide(key)).toBe('unidentified')
})

test('uses that were let pass without asking are in the usage of the key', async () => {
  const { id, key } = await warmKey()
  for (let use = 0; use < 99; use += 1) expect(await decide(key)).toBe('allow')
  await guard.close()
  const start = performance.now()
  for (;;) {
    const answer = await ask(`/api/v1/auth/keys/${id}/usage`, { key: stack.admin_api_key })
    const counted = JSON.stringify(fieldsOf(answer))
    if (counted.includes('100')) break
    if (performance.now() - start > 10_000) throw new Error(`not 100 uses: ${counted}`)
    await setTimeout(100)
  }
})
