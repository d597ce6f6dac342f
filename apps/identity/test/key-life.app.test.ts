import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { fromGrpcError } from '@olytix/errors/nest'
import { sql } from '@olytix/postgres'
import { DenialReason, UsageGranularity } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_KEY, as, failure, Harness, SERVICE_TOKEN, unary } from './harness.js'
import { KeyCalls, keyIn } from './key-calls.js'

const SECOND = 1_000
const ALLOWED = DenialReason.DENIAL_REASON_UNSPECIFIED

let identity: Harness
let keys: KeyCalls

beforeAll(async () => {
  identity = await Harness.start()
  keys = new KeyCalls(identity)
})

afterAll(() => identity.end())

describe('changing a key', () => {
  test('touches what the mask names and nothing else', async () => {
    const before = await aKey({
      scopes: ['read', 'write'],
      attributes: { region: { stringValue: 'West' } },
      allowedIps: ['10.0.0.0/8'],
      rateLimit: { requests: 5, perSeconds: 60 },
      description: 'before',
    })
    const after = await keys.update(before.id, ['name', 'scopes', 'allowed_ips', 'rate_limit'], {
      name: 'renamed',
      scopes: ['read'],
      description: 'not in the mask',
      disabled: true,
    })
    expect(after).toEqual({
      ...before,
      name: 'renamed',
      scopes: ['read'],
      allowedIps: [],
      rateLimit: undefined,
    })
    expect(await eventsOf(before.id)).toMatchObject([
      { event_type: 'key_created' },
      {
        event_type: 'key_updated',
        additional_data: {
          before: { name: 'Test key', scopes: ['read', 'write'], allowed_ips: ['10.0.0.0/8'] },
          after: { name: 'renamed', scopes: ['read'], allowed_ips: [], rate_limit: null },
        },
      },
    ])
  })

  test('of roles and attributes replaces all of them; no roles mean the default', async () => {
    const { id } = await aKey({ roles: ['analyst'], attributes: { a: { numberValue: 1 } } })
    const changed = await keys.update(id, ['roles', 'attributes'], {
      roles: ['viewer', 'developer'],
      attributes: { b: { booleanValue: true } },
    })
    expect([changed.roles, Object.keys(changed.attributes)]).toEqual([
      ['developer', 'viewer'],
      ['b'],
    ])
    expect((await keys.update(id, ['roles'])).roles).toEqual(['viewer'])
  })

  test('to what it is already is no event and raises no revision', async () => {
    const { id, name } = await aKey()
    const before = await revision()
    await keys.update(id, ['name', 'disabled'], { name })
    expect(await revision()).toBe(before)
    expect(await eventsOf(id)).toHaveLength(1)
  })

  test.each([
    [[], {}, 'update_mask'],
    [['nme'], {}, 'update_mask[0]'],
    [['name'], {}, 'name'],
    [['scopes'], {}, 'scopes'],
    [['scopes'], { scopes: ['rite'] }, 'scopes[0]'],
    [['roles'], { roles: ['nobody'] }, 'roles[0]'],
    [['allowed_ips'], { allowedIps: ['10.0.0.1/8'] }, 'allowed_ips[0]'],
    [['rate_limit'], { rateLimit: { requests: 0, perSeconds: 1 } }, 'rate_limit.requests'],
    [['description'], { description: 'x'.repeat(1001) }, 'description'],
  ])('%j to %j is refused at its place', async (mask, change, path) => {
    const { id } = await aKey()
    const error = await failure(keys.update(id, mask, change))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    expect(fromGrpcError(error, 'Identity').details?.map((detail) => detail.path)).toEqual([path])
  })

  test('that is revoked is refused for good', async () => {
    const { id } = await aKey()
    await keys.revoke(id)
    expect((await failure(keys.update(id, ['disabled']))).code).toBe(status.ALREADY_EXISTS)
  })

  test('to disabled refuses it from the next call on, to enabled lets it in again', async () => {
    const { secret, key } = await identity.createKey()
    const { id } = keyIn({ key })
    expect((await keys.update(id, ['disabled'], { disabled: true })).status).toBe(
      'KEY_STATUS_DISABLED',
    )
    expect(await reasonFor(secret)).toBe(DenialReason.DENIAL_REASON_DISABLED_CREDENTIAL)
    await keys.update(id, ['disabled'])
    expect(await reasonFor(secret)).toBe(ALLOWED)
  })
})

describe('rotating a key', () => {
  test('with an overlap lets both work until its end, and only the new one from then on', async () => {
    const { secret, key } = await identity.createKey({
      name: 'rotated',
      scopes: ['read', 'write'],
      roles: ['analyst'],
      attributes: { region: { stringValue: 'West' } },
      rateLimit: { requests: 1_000, perSeconds: 60 },
      description: 'carried over',
      expiresInDays: 90,
    })
    const old = keyIn({ key })
    identity.clock.advance(10 * 86_400 * SECOND)
    const rotated = await keys.rotate(old.id, 3_600)
    const successor = keyIn(rotated)
    const { id, hint, createdAt, expiresAt, rotatedFrom, ...settings } = successor
    expect(old).toMatchObject({ ...settings, status: 'KEY_STATUS_ACTIVE' })
    expect(rotatedFrom).toBe(old.id)
    expect(expiresAt).toEqual(new Date('2027-03-04T00:00:00.000Z'))
    expect(await keys.get(old.id)).toMatchObject({
      rotatedTo: id,
      status: 'KEY_STATUS_ROTATING',
      expiresAt: new Date(identity.clock.at.getTime() + 3_600 * SECOND),
    })
    identity.clock.advance(3_599 * SECOND)
    expect([await reasonFor(secret), await reasonFor(rotated.secret)]).toEqual([ALLOWED, ALLOWED])
    expect((await identity.authorize({ credential: secret })).cacheTtlMs).toBe(0)
    identity.clock.advance(SECOND)
    expect([await reasonFor(secret), await reasonFor(rotated.secret)]).toEqual([
      DenialReason.DENIAL_REASON_EXPIRED_CREDENTIAL,
      ALLOWED,
    ])
    expect(hint).toBe(rotated.secret.slice(16, 20))
    expect(createdAt).not.toEqual(old.createdAt)
  })

  test('bounds how long the old one may be reused to what is left of the overlap', async () => {
    const { secret, key } = await identity.createKey()
    await keys.rotate(keyIn({ key }).id, 2)
    expect((await identity.authorize({ credential: secret })).cacheTtlMs).toBe(2 * SECOND)
  })

  test('without an overlap refuses the old one from the next call on', async () => {
    const { secret, key } = await identity.createKey()
    const rotated = await keys.rotate(keyIn({ key }).id, 0)
    expect([await reasonFor(secret), await reasonFor(rotated.secret)]).toEqual([
      DenialReason.DENIAL_REASON_REVOKED_CREDENTIAL,
      ALLOWED,
    ])
    expect(await eventsOf(key?.id)).toMatchObject([
      { event_type: 'key_created' },
      {
        event_type: 'key_rotated',
        additional_data: { rotated_to: rotated.key?.id, overlap_seconds: 0 },
      },
    ])
  })

  test('twice leaves at most two keys that work', async () => {
    const first = await identity.createKey()
    const second = await keys.rotate(keyIn(first).id, 3_600)
    const third = await keys.rotate(keyIn(second).id, 3_600)
    const reasons = await Promise.all([first, second, third].map(({ secret }) => reasonFor(secret)))
    expect(reasons).toEqual([DenialReason.DENIAL_REASON_REVOKED_CREDENTIAL, ALLOWED, ALLOWED])
    const error = await failure(keys.rotate(keyIn(second).id, 0))
    expect(error.code).toBe(status.ALREADY_EXISTS)
    expect(error.details).toContain(keyIn(third).id)
  })

  test('many times at once replaces it once', async () => {
    const { id } = await aKey()
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => keys.rotate(id, 3_600)),
    )
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  })

  test.each([
    ['disabled', (id: string) => keys.update(id, ['disabled'], { disabled: true })],
    ['revoked', (id: string) => keys.revoke(id)],
  ])('that is %s is refused', async (_state, change) => {
    const { id } = await aKey()
    await change(id)
    expect((await failure(keys.rotate(id, 0))).code).toBe(status.ALREADY_EXISTS)
  })

  test('takes an overlap of up to 30 days', async () => {
    const { id } = await aKey()
    expect((await failure(keys.rotate(id, 2_592_001))).code).toBe(status.INVALID_ARGUMENT)
    expect(keyIn(await keys.rotate(id, 2_592_000)).rotatedFrom).toBe(id)
  })

  test('keeps to the longest life that the operator allows by now', async () => {
    const { id } = await aKey({ expiresInDays: 365 })
    const other = await identity.startAnother({ OLYTIX_SECURITY__API_KEY_MAX_DAYS: '30' })
    const { expiresAt, createdAt } = keyIn(await keys.rotate(id, 0))
    await identity.stopOne(other)
    const days = ((expiresAt?.getTime() ?? 0) - (createdAt?.getTime() ?? 0)) / (86_400 * SECOND)
    expect(Math.ceil(days)).toBe(30)
  })
})

describe('revoking all keys of a user', () => {
  test('ends those that their keys made too, counts them once, and spares other users', async () => {
    const other = await Harness.start()
    try {
      const calls = new KeyCalls(other)
      const parent = await other.createKey({ scopes: ['admin'] })
      const child = await other.createKey({ scopes: ['read'] }, parent.secret)
      const { ownerId } = keyIn(child)
      expect(await calls.revokeAllOf(ownerId)).toBe(3)
      for (const secret of [ADMIN_KEY, parent.secret, child.secret]) {
        const { denialReason } = await other.authorize({ credential: secret })
        expect(denialReason).toBe(DenialReason.DENIAL_REASON_REVOKED_CREDENTIAL)
      }
      const revoked = await other.owner.many(
        z.object({ subject_id: z.string() }),
        sql`select subject_id from audit_events where event_type = 'key_revoked'`,
      )
      expect(revoked).toHaveLength(3)
    } finally {
      await other.end()
    }
  })

  test.each(['usr_000000000000000000000', '', '%', keyLike()])(
    'is NOT_FOUND for %j',
    async (ownerId) => {
      expect((await failure(keys.revokeAllOf(ownerId))).code).toBe(status.NOT_FOUND)
    },
  )
})

describe('usage of a key', () => {
  const HOUR = UsageGranularity.USAGE_GRANULARITY_HOUR
  const DAY = UsageGranularity.USAGE_GRANULARITY_DAY

  test('counts requests by outcome, by the hour and the day, with the last address', async () => {
    identity.clock.at = new Date('2026-12-24T22:30:00.000Z')
    const { secret, key } = await identity.createKey({ scopes: ['read'] })
    const ask = (scope: string, clientIp: string): Promise<unknown> =>
      identity.authorize({ credential: secret, requiredScopes: [scope], clientIp })
    await Promise.all([ask('read', '192.0.2.1'), ask('read', '192.0.2.1')])
    identity.clock.advance(3_600 * SECOND)
    await ask('read', '2001:db8::1')
    await ask('write', '192.0.2.3')
    identity.clock.advance(3_600 * SECOND)
    await ask('read', '192.0.2.9')
    const id = keyIn({ key }).id
    expect(await keys.usage(id, HOUR)).toEqual({
      lastClientIp: '192.0.2.9',
      buckets: [
        { start: new Date('2026-12-24T22:00:00.000Z'), requestsByOutcome: { allowed: 2 } },
        {
          start: new Date('2026-12-24T23:00:00.000Z'),
          requestsByOutcome: { allowed: 1, insufficient_scope: 1 },
        },
        { start: new Date('2026-12-25T00:00:00.000Z'), requestsByOutcome: { allowed: 1 } },
      ],
    })
    const days = await keys.usage(id, DAY, { to: new Date('2026-12-25T00:00:00.000Z') })
    expect(days.buckets).toEqual([
      {
        start: new Date('2026-12-24T00:00:00.000Z'),
        requestsByOutcome: { allowed: 3, insufficient_scope: 1 },
      },
    ])
  })

  test('takes what guards decided by themselves, and never counts a passed-on call twice', async () => {
    const { secret, key } = await identity.createKey({ scopes: ['admin'] })
    const { id } = keyIn({ key })
    const passedOn = as(secret)
    passedOn.set('service-token', SERVICE_TOKEN)
    passedOn.set('client-ip', '192.0.2.7')
    const client = identity.keyClient
    await unary((done) => client.getKey({ id }, passedOn, done))
    await identity.recordUses([
      { keyId: id, denialReason: ALLOWED, requests: 40, lastAt: identity.clock.at, clientIp: '' },
      { keyId: keyLike(), denialReason: ALLOWED, requests: 1, lastAt: new Date(0), clientIp: '' },
    ])
    const [bucket] = (await keys.usage(id, DAY)).buckets
    expect(bucket?.requestsByOutcome).toEqual({ allowed: 40 })
  })

  test.each([
    [{ from: new Date('2026-01-01'), to: new Date('2026-01-01') }],
    [{ from: new Date('2020-01-01'), to: new Date('2026-01-01') }],
    [{ from: new Date('0001-01-01') }],
    [{ to: new Date(-1) }],
  ])('over %j is refused', async (span) => {
    const { id } = await aKey()
    expect((await failure(keys.usage(id, HOUR, span))).code).toBe(status.INVALID_ARGUMENT)
  })

  test('of a key that is not there is NOT_FOUND', async () => {
    expect((await failure(keys.usage(keyLike(), HOUR))).code).toBe(status.NOT_FOUND)
  })
})

async function aKey(request: Parameters<Harness['createKey']>[0] = {}) {
  return keyIn(await identity.createKey(request))
}

function keyLike(): string {
  return 'key_000000000000000000000'
}

function reasonFor(credential: string): Promise<DenialReason> {
  return identity.authorize({ credential }).then(({ denialReason }) => denialReason)
}

function revision(): Promise<number> {
  return identity.authorize({ credential: ADMIN_KEY }).then((answer) => answer.revision)
}

function eventsOf(id: string | undefined): Promise<unknown[]> {
  return identity.owner.many(
    z.record(z.string(), z.unknown()),
    sql`select * from audit_events where subject_id = ${id} order by id`,
  )
}
