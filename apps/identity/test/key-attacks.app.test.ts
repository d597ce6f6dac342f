import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Metadata, status } from '@grpc/grpc-js'
import { generateApiKey } from '@olytix/auth-guards/api-key'
import { sql } from '@olytix/postgres'
import { type AuthorizeResponse, Decision, DenialReason, UsageGranularity } from '@olytix/proto'
import { AuditCalls } from './audit-calls.js'
import { ADMIN_KEY, as, callMetadata, failure, Harness, SERVICE_TOKEN, unary } from './harness.js'
import { KeyCalls, keyIn } from './key-calls.js'

let identity: Harness
let keys: KeyCalls
let audit: AuditCalls

beforeAll(async () => {
  identity = await Harness.start()
  keys = new KeyCalls(identity)
  audit = new AuditCalls(identity)
})

afterAll(() => identity.end())

describe('a text that only looks like a key', () => {
  const { secret } = generateApiKey(randomBytes)
  test.each([
    ['in capitals', ADMIN_KEY.toUpperCase()],
    ['with its prefix in capitals', ADMIN_KEY.replace('olytix-core', 'Olytix-Core')],
    ['with - for _', ADMIN_KEY.replaceAll('_', '-')],
    ['in full-width letters', ADMIN_KEY.replace('olytix', 'ｏｌｙｔｉｘ')],
    ['with a blank behind it', `${ADMIN_KEY} `],
    ['with a blank before it', ` ${ADMIN_KEY}`],
    ['with a newline behind it', `${ADMIN_KEY}\n`],
    ['with a tab in it', ADMIN_KEY.replace('key_', 'key_\t')],
    ['with a wrong checksum', secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0')],
    ['with U+0000 behind it', `${ADMIN_KEY}\0`],
    ['twice', `${ADMIN_KEY}${ADMIN_KEY}`],
    ['with a comma', `${ADMIN_KEY},${ADMIN_KEY}`],
    ['percent-encoded', encodeURIComponent(`${ADMIN_KEY}%00`)],
    ['900 KB long', ADMIN_KEY.padEnd(900_000, 'x')],
    ['in base64', Buffer.from(ADMIN_KEY).toString('base64')],
  ])('%s is denied without a statement', async (_how, credential) => {
    identity.proxy.statements = []
    expect(await identity.authorize({ credential })).toMatchObject({
      decision: Decision.DECISION_DENY,
      denialReason: DenialReason.DENIAL_REASON_MALFORMED_CREDENTIAL,
      principal: undefined,
    })
    expect(identity.proxy.statements.filter((text) => /secret_hash/.test(text))).toEqual([])
  })
})

describe('a key that does not exist', () => {
  test('is answered alike, whether invented or one character away from a real one', async () => {
    const real = (await identity.createKey()).secret
    const neighbour = generateApiKey((count) => {
      const bytes = new Uint8Array(count)
      const random = real.slice(16, 42)
      for (let index = 0; index < count; index += 1) {
        bytes[index] = parseInt(random.charAt(index), 36)
      }
      bytes[5] = ((bytes[5] ?? 0) + 1) % 36
      return bytes
    }).secret
    expect([neighbour.slice(0, 21), neighbour.slice(22, 42)]).toEqual([
      real.slice(0, 21),
      real.slice(22, 42),
    ])
    expect(neighbour).not.toBe(real)
    const invented = generateApiKey(randomBytes).secret
    const [one, other] = [
      await identity.authorize({ credential: neighbour }),
      await identity.authorize({ credential: invented }),
    ]
    expect(one).toEqual(other)
    expect(one.denialReason).toBe(DenialReason.DENIAL_REASON_UNKNOWN_CREDENTIAL)
  })
})

describe('a key that no longer works', () => {
  test.each<[string, (id: string) => Promise<unknown>, string]>([
    ['revoked', (id) => keys.revoke(id), 'revoked_credential'],
    ['disabled', (id) => keys.update(id, ['disabled'], { disabled: true }), 'disabled_credential'],
    ['rotated out', (id) => keys.rotate(id, 0), 'revoked_credential'],
    [
      'expired',
      (id) =>
        identity.owner.execute(
          sql`update keys set expires_at = now() - interval '9 years' where id = ${id}`,
        ),
      'expired_credential',
    ],
  ])('%s is refused like any other; the trail knows the true cause', async (_how, end, reason) => {
    const { secret, key } = await identity.createKey({ scopes: ['admin'] })
    const { id } = keyIn({ key })
    await end(id)
    const metadata = as(secret)
    metadata.set('request-id', `request-${id}`)
    const client = identity.keyClient
    const error = await failure(unary((done) => client.getKey({ id }, metadata, done)))
    expect([error.code, error.details]).toEqual([
      status.UNAUTHENTICATED,
      'Invalid or missing authentication',
    ])
    await eventually(async () => {
      const { events } = await audit.list({ subject: id, type: 'authentication' })
      return events.some(
        (event) =>
          event.requestId === `request-${id}` &&
          event.denialReason === reason &&
          !event.accessGranted &&
          event.userId === id &&
          event.subject === 'KeysController.getKey',
      )
    })
  })

  test('never passes after its revocation was answered, of a thousand uses at once', async () => {
    const { secret, key } = await identity.createKey()
    let isRevoked = false
    const late: AuthorizeResponse[] = []
    const use = async (): Promise<void> => {
      const wasRevoked = isRevoked
      const answer = await identity.authorize({ credential: secret })
      if (wasRevoked && answer.decision === Decision.DECISION_ALLOW) late.push(answer)
    }
    const before = Array.from({ length: 500 }, use)
    await keys.revoke(keyIn({ key }).id)
    isRevoked = true
    await Promise.all([...before, ...Array.from({ length: 500 }, use)])
    expect(late).toEqual([])
  })
})

describe('a credential in any other place', () => {
  test.each([
    'cookie',
    'proxy-authorization',
    'x-api-key',
    'x-olytix-user',
    'x-user-id',
    'api_key',
  ])('such as the metadata %s is none', async (name) => {
    const metadata = callMetadata({ [name]: ADMIN_KEY, 'service-token': SERVICE_TOKEN })
    expect((await failure(listOne(metadata))).code).toBe(status.UNAUTHENTICATED)
  })

  test('beside the right one changes nothing', async () => {
    const reader = (await identity.createKey({ scopes: ['read'] })).secret
    const metadata = as(reader)
    for (const name of ['x-user-id', 'x-olytix-user', 'cookie']) metadata.set(name, ADMIN_KEY)
    expect((await failure(listOne(metadata))).code).toBe(status.PERMISSION_DENIED)
  })
})

describe('an id that is none', () => {
  const HOUR = UsageGranularity.USAGE_GRANULARITY_HOUR
  test.each(['%', '_', "' OR 1=1 --", 'key_%', 'key_000000000000000000000', '../key', 'ses_1'])(
    '%j reaches nothing by any call',
    async (id) => {
      const calls: Promise<unknown>[] = [
        keys.get(id),
        keys.update(id, ['name'], { name: 'taken over' }),
        keys.rotate(id),
        keys.revoke(id),
        keys.usage(id, HOUR),
        keys.revokeAllOf(id),
      ]
      const codes = await Promise.all(calls.map((call) => failure(call).then(({ code }) => code)))
      expect(codes).toEqual(calls.map(() => status.NOT_FOUND))
      expect((await identity.authorize({ credential: ADMIN_KEY })).decision).toBe('DECISION_ALLOW')
    },
  )
})

describe('a key that may not', () => {
  test('make a stronger one, nor give itself more, leaves the attempt in the trail', async () => {
    const { secret, key } = await identity.createKey({ scopes: ['admin'] })
    const { id } = keyIn({ key })
    await identity.owner.execute(sql`update user_roles set role_name = 'developer'`)
    try {
      expect((await failure(identity.createKey({ scopes: ['admin'] }, secret))).code).toBe(
        status.PERMISSION_DENIED,
      )
      const itself = new KeyCalls(identity, () => as(secret))
      const attempt = itself.update(id, ['scopes'], { scopes: ['admin'] })
      expect((await failure(attempt)).code).toBe(status.PERMISSION_DENIED)
    } finally {
      await identity.owner.execute(sql`update user_roles set role_name = 'admin'`)
    }
    await eventually(async () => {
      const { events } = await audit.list({ subject: id, type: 'authorization' })
      return events.filter((event) => event.denialReason === 'insufficient_scope').length === 2
    })
  })

  test('floods nobody: ten thousand refusals leave a few dozen events', async () => {
    const { eventsChecked: before } = await audit.verify()
    const unknown = generateApiKey(randomBytes).secret
    for (let batch = 0; batch < 100; batch += 1) {
      await identity.batch(
        Array.from({ length: 100 }, () => ({ credential: unknown, clientIp: '198.51.100.7' })),
      )
    }
    identity.clock.advance(60_000)
    await eventually(async () => {
      const { events } = await audit.list({ type: 'authentication', pageSize: 5 })
      return events.some((event) => event.additionalData?.['requests'] === 9_990)
    })
    const { eventsChecked, intact } = await audit.verify()
    expect(eventsChecked - before).toBeLessThan(30)
    expect(intact).toBe(true)
  })
})

function listOne(metadata: Metadata): Promise<unknown> {
  const client = identity.keyClient
  return unary((done) => client.listKeys({ pageSize: 1, pageToken: '' }, metadata, done))
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('not within 8 s')
  }
}
