import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import { type AuthorizeResponse, DenialReason } from '@olytix/proto'
import { z } from 'zod'
import { as, failure, Harness, SERVICE_TOKEN, unary } from './harness.js'
import { KeyCalls, keyIn } from './key-calls.js'

const LIMITED = DenialReason.DENIAL_REASON_RATE_LIMITED
const ALLOWED = DenialReason.DENIAL_REASON_UNSPECIFIED

let identity: Harness

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('a key with a rate limit', () => {
  test('of 100 lets exactly 100 of 200 requests at once pass, and says what is left', async () => {
    const { secret } = await aKey(100, 60)
    const answers = await ask(secret, 200)
    expect(allowed(answers)).toHaveLength(100)
    const left = allowed(answers).map(({ rateLimitUse }) => rateLimitUse?.remaining ?? -1)
    expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index))
    const denied = answers.find(({ denialReason }) => denialReason === LIMITED)
    expect(denied).toMatchObject({
      decision: 'DECISION_DENY',
      rateLimit: { requests: 100, perSeconds: 60 },
      rateLimitUse: { remaining: 0, resetAfterMs: 60_000 },
      cacheTtlMs: 0,
    })
    expect(denied?.principal?.id).toMatch(/^key_/)
  })

  test('is let in again when the time is over that it was told, and not before', async () => {
    const { secret } = await aKey(1, 10)
    await ask(secret, 1)
    identity.clock.advance(4_000)
    const [denied] = await ask(secret, 1)
    const waitMs = denied?.rateLimitUse?.resetAfterMs ?? 0
    expect(waitMs).toBe(6_000)
    identity.clock.advance(waitMs - 1)
    expect(await reasons(secret, 1)).toEqual([LIMITED])
    identity.clock.advance(1)
    expect(await reasons(secret, 2)).toEqual([ALLOWED, LIMITED])
  })

  test('is not charged for requests that are refused anyhow', async () => {
    const { secret } = await aKey(1, 60)
    await identity.authorize({ credential: secret, requiredScopes: ['write'] })
    expect(await reasons(secret, 2)).toEqual([ALLOWED, LIMITED])
  })

  test('shares nothing with other keys', async () => {
    const [one, other] = [await aKey(1, 60), await aKey(1, 60)]
    expect(await reasons(one.secret, 2)).toEqual([ALLOWED, LIMITED])
    expect(await reasons(other.secret, 1)).toEqual([ALLOWED])
  })

  test('follows a change of its limit at once', async () => {
    const { secret, key } = await aKey(1, 60)
    const keys = new KeyCalls(identity)
    await ask(secret, 1)
    await keys.update(keyIn({ key }).id, ['rate_limit'], {
      rateLimit: { requests: 3, perSeconds: 60 },
    })
    expect(await reasons(secret, 3)).toEqual([ALLOWED, ALLOWED, LIMITED])
    await keys.update(keyIn({ key }).id, ['rate_limit'], {
      rateLimit: { requests: 1, perSeconds: 5 },
    })
    expect(await reasons(secret, 2)).toEqual([ALLOWED, LIMITED])
    await keys.update(keyIn({ key }).id, ['rate_limit'])
    expect(await reasons(secret, 9)).toEqual(Array.from({ length: 9 }, () => ALLOWED))
  })

  test('is counted for a management call that it makes itself, once', async () => {
    const { secret, key } = await identity.createKey({
      scopes: ['admin'],
      rateLimit: { requests: 2, perSeconds: 60 },
    })
    const keys = new KeyCalls(identity, () => as(secret))
    const { id } = keyIn({ key })
    await keys.get(id)
    await keys.get(id)
    const error = await failure(keys.get(id))
    expect([error.code, error.metadata.get('error-code')]).toEqual([
      status.RESOURCE_EXHAUSTED,
      ['RATE_LIMITED'],
    ])
  })

  test('is counted once for a call that a service has asked about and passes on', async () => {
    const { secret, key } = await identity.createKey({
      scopes: ['admin'],
      rateLimit: { requests: 1, perSeconds: 60 },
    })
    const keys = new KeyCalls(identity, () => {
      const metadata = as(secret)
      metadata.set('service-token', SERVICE_TOKEN)
      metadata.set('client-ip', '192.0.2.1')
      return metadata
    })
    expect(await reasons(secret, 1)).toEqual([ALLOWED])
    expect((await keys.get(keyIn({ key }).id)).id).toBe(key?.id)
  })
})

describe('two replicas', () => {
  test('let pass no more than the limit once they have told each other', async () => {
    const { secret, key } = await aKey(100, 3_600)
    expect(allowed(await ask(secret, 60))).toHaveLength(60)
    await untilTold(key?.id, 60)
    const other = await identity.startAnother()
    try {
      expect(allowed(await ask(secret, 1))).toHaveLength(1)
      await untilTold(key?.id, 61)
      expect(allowed(await ask(secret, 100))).toHaveLength(39)
    } finally {
      await identity.stopOne(other)
    }
    expect(await reasons(secret, 1)).not.toEqual([undefined])
    await untilTold(key?.id, 100)
  })

  test('let pass what is documented before that: at most the limit each', async () => {
    const { secret } = await aKey(50, 3_600)
    const here = ask(secret, 100)
    const other = await identity.startAnother()
    try {
      const there = ask(secret, 100)
      const passed = allowed([...(await here), ...(await there)]).length
      expect(passed).toBeGreaterThanOrEqual(50)
      expect(passed).toBeLessThanOrEqual(100)
    } finally {
      await identity.stopOne(other)
    }
  })
})

function aKey(requests: number, perSeconds: number): ReturnType<Harness['createKey']> {
  return identity.createKey({ scopes: ['read'], rateLimit: { requests, perSeconds } })
}

function ask(credential: string, times: number): Promise<AuthorizeResponse[]> {
  return Promise.all(Array.from({ length: times }, () => identity.authorize({ credential })))
}

function reasons(credential: string, times: number): Promise<DenialReason[]> {
  return ask(credential, times).then((answers) =>
    answers.map(({ denialReason }) => denialReason).sort((a, b) => order(a) - order(b)),
  )
}

function order(reason: DenialReason): number {
  return reason === ALLOWED ? 0 : 1
}

function allowed(answers: readonly AuthorizeResponse[]): AuthorizeResponse[] {
  return answers.filter(({ denialReason }) => denialReason === ALLOWED)
}

async function untilTold(keyId: string | undefined, used: number): Promise<void> {
  const deadline = performance.now() + 5_000
  for (;;) {
    const row = await identity.owner.maybeOne(
      z.object({ used: z.coerce.number() }),
      sql`select used from key_rate_windows where key_id = ${keyId}`,
    )
    if (row?.used === used) return
    if (performance.now() > deadline)
      throw new Error(`${String(row?.used)} instead of ${String(used)}`)
    await unary((done) => setImmediate(done, null, undefined))
  }
}
