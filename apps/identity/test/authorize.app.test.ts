import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { generateApiKey } from '@olytix/auth-guards/api-key'
import { fromGrpcError } from '@olytix/errors/nest'
import { sql } from '@olytix/postgres'
import { CredentialSource, Decision, DenialReason } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_KEY, as, callMetadata, failure, Harness, SERVICE_TOKEN, unary } from './harness.js'

/** What is written or read every now and then, whatever is asked. */
const BACKGROUND = /insert into (key_usage|audit_events)|key_rate_windows|^begin$|^commit$/

let identity: Harness

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('an API key', () => {
  test('is allowed, with what policies may use about it', async () => {
    const { secret, key } = await identity.createKey({
      scopes: ['read'],
      roles: ['analyst'],
      attributes: {
        region: { stringValue: 'West' },
        level: { numberValue: 2.5 },
        internal: { booleanValue: false },
        regions: { listValue: { values: [{ stringValue: 'West' }, { numberValue: 1 }] } },
      },
    })
    expect(await identity.authorize({ credential: secret, requiredScopes: ['read'] })).toEqual({
      decision: Decision.DECISION_ALLOW,
      denialReason: DenialReason.DENIAL_REASON_UNSPECIFIED,
      principal: {
        id: key?.id,
        kind: 'PRINCIPAL_KIND_API_KEY',
        email: '',
        name: 'Test key',
      },
      scopes: ['read'],
      roles: ['analyst'],
      rlsContext: {
        userId: key?.id,
        email: '',
        roles: ['analyst'],
        attributes: {
          region: { stringValue: 'West' },
          level: { numberValue: 2.5 },
          internal: { booleanValue: false },
          regions: { listValue: { values: [{ stringValue: 'West' }, { numberValue: 1 }] } },
        },
      },
      expiresAt: key?.expiresAt,
      cacheTtlMs: 60_000,
      dependsOn: [
        key?.id,
        expect.stringMatching(/^key_/),
        expect.stringMatching(/^usr_/),
        'role:admin',
        'role:analyst',
      ],
      rateLimitUse: undefined,
      revision: expect.any(Number),
      rateLimit: undefined,
    })
  })

  test.each([
    [['read'], 'read', true],
    [['read'], 'write', false],
    [['write'], 'read', false],
    [['write'], 'write', true],
    [['write'], 'admin', false],
    [['admin'], 'read', true],
    [['admin'], 'write', true],
    [['admin'], 'admin', true],
  ])(
    'with %j is asked for %s: %s, and a denial still names it',
    async (scopes, wanted, allowed) => {
      const { secret, key } = await identity.createKey({ scopes })
      const answer = await identity.authorize({ credential: secret, requiredScopes: [wanted] })
      expect(answer.denialReason).toBe(
        allowed
          ? DenialReason.DENIAL_REASON_UNSPECIFIED
          : DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE,
      )
      expect(answer.principal?.id).toBe(key?.id)
      if (!allowed) expect(answer.cacheTtlMs).toBe(0)
    },
  )

  test('in the query string reads at most, whatever its scopes', async () => {
    const ask = (wanted: string): Promise<DenialReason> =>
      identity
        .authorize({
          credential: ADMIN_KEY,
          source: CredentialSource.CREDENTIAL_SOURCE_QUERY_PARAMETER,
          requiredScopes: [wanted],
        })
        .then(({ denialReason }) => denialReason)
    expect(await ask('read')).toBe(DenialReason.DENIAL_REASON_UNSPECIFIED)
    expect(await ask('write')).toBe(DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE)
    expect(await ask('admin')).toBe(DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE)
  })

  test('works until one millisecond before 00:00 UTC of its last day, and not at it', async () => {
    const { secret, key } = await identity.createKey({ expiresInDays: 1 })
    expect(key?.expiresAt).toEqual(new Date('2026-11-25T00:00:00.000Z'))
    const made = identity.clock.at
    identity.clock.at = new Date('2026-11-24T23:59:59.999Z')
    const last = await identity.authorize({ credential: secret })
    identity.clock.at = new Date('2026-11-25T00:00:00.000Z')
    const late = await identity.authorize({ credential: secret })
    identity.clock.at = made
    expect(last).toMatchObject({ decision: Decision.DECISION_ALLOW, cacheTtlMs: 1 })
    expect(late).toMatchObject({
      decision: Decision.DECISION_DENY,
      denialReason: DenialReason.DENIAL_REASON_EXPIRED_CREDENTIAL,
      principal: undefined,
    })
  })

  test('is refused from the call after its revocation on', async () => {
    const { secret, key } = await identity.createKey()
    expect((await identity.authorize({ credential: secret })).decision).toBe('DECISION_ALLOW')
    const client = identity.keyClient
    await unary((done) => client.revokeKey({ id: key?.id }, as(ADMIN_KEY), done))
    expect((await identity.authorize({ credential: secret })).denialReason).toBe(
      DenialReason.DENIAL_REASON_REVOKED_CREDENTIAL,
    )
  })

  test('with an allow-list works from there alone, and the answer is never reused', async () => {
    const { secret } = await identity.createKey({ allowedIps: ['10.0.0.0/8', '2001:DB8::/32'] })
    const from = (clientIp: string): Promise<unknown> =>
      identity
        .authorize({ credential: secret, clientIp })
        .then(({ denialReason, cacheTtlMs }) => [denialReason, cacheTtlMs])
    const allowed = [DenialReason.DENIAL_REASON_UNSPECIFIED, 0]
    const refused = [DenialReason.DENIAL_REASON_ADDRESS_NOT_ALLOWED, 0]
    expect(await from('10.1.2.3')).toEqual(allowed)
    expect(await from('::ffff:10.1.2.3')).toEqual(allowed)
    expect(await from('2001:db8::1')).toEqual(allowed)
    expect(await from('11.1.2.3')).toEqual(refused)
    expect(await from('')).toEqual(refused)
  })

  test('with a rate limit carries it, and the answer is never reused', async () => {
    const rateLimit = { requests: 100, perSeconds: 60 }
    const { secret } = await identity.createKey({ rateLimit })
    expect(await identity.authorize({ credential: secret })).toMatchObject({
      rateLimit,
      cacheTtlMs: 0,
    })
  })

  test('is recorded as used, forward only, without a write on the way', async () => {
    const { secret, key } = await identity.createKey()
    identity.proxy.statements = []
    for (let batch = 0; batch < 100; batch += 1) {
      await identity.batch(Array.from({ length: 100 }, () => ({ credential: secret })))
    }
    const asked = identity.proxy.statements.filter((text) => !BACKGROUND.test(text))
    expect(asked).toHaveLength(10_000)
    expect(asked.filter((text) => !/^\s*select/.test(text))).toEqual([])
    const used = identity.clock.at
    await identity.stop()
    await identity.startAnother()
    expect(await lastUsed(key?.id)).toEqual(used)
  })
})

describe('the scopes of a key', () => {
  test('shrink with the roles of its owner and grow back, without touching the key', async () => {
    const { secret } = await identity.createKey({ scopes: ['read', 'write'] })
    const scopes = (): Promise<string[]> =>
      identity.authorize({ credential: secret }).then((answer) => answer.scopes)
    expect(await scopes()).toEqual(['read', 'write'])
    await identity.owner.execute(sql`update user_roles set role_name = 'viewer'`)
    expect(await scopes()).toEqual(['read'])
    await identity.owner.execute(sql`update user_roles set role_name = 'admin'`)
    expect(await scopes()).toEqual(['read', 'write'])
  })

  test('shrink with those of the key that made it, over two generations', async () => {
    const child = await identity.createKey({ scopes: ['admin'] })
    const grandchild = await identity.createKey({ scopes: ['write', 'read'] }, child.secret)
    const scopes = (): Promise<string[]> =>
      identity.authorize({ credential: grandchild.secret }).then((answer) => answer.scopes)
    expect(await scopes()).toEqual(['read', 'write'])
    await identity.owner.execute(sql`update keys set scopes = '{read}' where id = ${child.key?.id}`)
    expect(await scopes()).toEqual(['read'])
  })

  test('are gone with the account of its owner', async () => {
    const { secret } = await identity.createKey()
    await identity.owner.execute(sql`update users set disabled_at = now()`)
    const answer = await identity.authorize({ credential: secret })
    await identity.owner.execute(sql`update users set disabled_at = null`)
    expect(answer.denialReason).toBe(DenialReason.DENIAL_REASON_DISABLED_USER)
  })
})

describe('a batch', () => {
  test('answers each question as if it were alone, in order', async () => {
    const read = await identity.createKey({ scopes: ['read'] })
    const write = await identity.createKey({ scopes: ['write'], allowedIps: ['10.0.0.0/8'] })
    const questions = [
      { credential: read.secret, requiredScopes: ['read'] },
      { credential: read.secret, requiredScopes: ['admin'] },
      { credential: write.secret, requiredScopes: ['write'], clientIp: '10.0.0.1' },
      { credential: write.secret, requiredScopes: ['write'], clientIp: '11.0.0.1' },
      { credential: '' },
      { credential: read.secret, requiredScopes: ['read'] },
    ]
    const alone = []
    for (const question of questions) alone.push(await identity.authorize(question))
    expect(await identity.batch(questions)).toEqual(alone)
  })

  test('of none is answered by none, of more than 100 refused', async () => {
    expect(await identity.batch([])).toEqual([])
    const many = Array.from({ length: 101 }, () => ({ credential: ADMIN_KEY }))
    expect((await failure(identity.batch(many))).code).toBe(status.INVALID_ARGUMENT)
  })

  test('with a question that cannot be read is refused as a whole, by its place', async () => {
    const error = await failure(
      identity.batch([{ credential: ADMIN_KEY }, { credential: ADMIN_KEY, clientIp: 'here' }]),
    )
    expect(fromGrpcError(error, 'Identity').details?.map(({ path }) => path)).toEqual([
      'requests[1].client_ip',
    ])
  })
})

describe('what is no key of ours', () => {
  const inHeader = CredentialSource.CREDENTIAL_SOURCE_HEADER
  const inQuery = CredentialSource.CREDENTIAL_SOURCE_QUERY_PARAMETER
  const unknown = generateApiKey(randomBytes).secret
  test.each([
    ['nothing', '', inHeader, DenialReason.DENIAL_REASON_MISSING_CREDENTIAL],
    ['what a guard kept', '', inQuery, DenialReason.DENIAL_REASON_SOURCE_NOT_ALLOWED],
    ['a word', 'nonsense', inHeader, DenialReason.DENIAL_REASON_MALFORMED_CREDENTIAL],
    ['a newline', `${ADMIN_KEY}\n`, inHeader, DenialReason.DENIAL_REASON_MALFORMED_CREDENTIAL],
    ['a token in the URL', 'a.b.c', inQuery, DenialReason.DENIAL_REASON_SOURCE_NOT_ALLOWED],
    ['a foreign key', unknown, inHeader, DenialReason.DENIAL_REASON_UNKNOWN_CREDENTIAL],
  ])('such as %s is denied and names nobody', async (_what, credential, source, reason) => {
    expect(await identity.authorize({ credential, source })).toMatchObject({
      decision: Decision.DECISION_DENY,
      denialReason: reason,
      principal: undefined,
      rlsContext: undefined,
      scopes: [],
      cacheTtlMs: 0,
    })
  })

  test('costs no statement, ten thousand times', async () => {
    identity.proxy.statements = []
    const garbage = (): string => {
      const { secret } = generateApiKey(randomBytes)
      return secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0')
    }
    const client = identity.authorizationClient
    const metadata = callMetadata({ 'service-token': SERVICE_TOKEN })
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, () =>
          unary((done) =>
            client.authorize(
              {
                credential: garbage(),
                source: CredentialSource.CREDENTIAL_SOURCE_HEADER,
                requiredScopes: [],
                resource: '',
                clientIp: '',
                fresh: false,
                requestId: '',
              },
              metadata,
              done,
            ),
          ),
        ),
      )
    }
    // What was used before may be written down in the meantime.
    const caused = identity.proxy.statements.filter((text) => !BACKGROUND.test(text))
    expect(caused).toEqual([])
  })

  test('is logged with its true reason and the id of the request, and without itself', async () => {
    identity.logged()
    const credential = generateApiKey(randomBytes).secret
    await identity.authorize({ credential, requestId: 'request-0001', resource: 'GET /x' })
    const log = identity.logged()
    expect(log).toContain('"denial_reason":"unknown_credential"')
    expect(log).toContain('"request_id":"request-0001"')
    expect(log).not.toContain(credential.slice(20))
  })
})

describe('a question that cannot be decided is an error, never a denial', () => {
  test('without the service token, or with a wrong one', async () => {
    for (const metadata of [callMetadata({}), callMetadata({ 'service-token': 'wrong' })]) {
      const error = await failure(identity.authorize({ credential: ADMIN_KEY }, metadata))
      expect(error.code).toBe(status.UNAUTHENTICATED)
    }
  })

  test.each([
    [{ requiredScopes: ['raed'] }, 'required_scopes[0]'],
    [{ clientIp: '10.0.0.300' }, 'client_ip'],
  ])('with %j', async (request, path) => {
    const error = await failure(identity.authorize({ credential: ADMIN_KEY, ...request }))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    expect(error.details).toContain(path)
  })
})

describe('the revision', () => {
  let seen = 0
  beforeEach(async () => {
    seen = await revision()
  })

  test('grows with each change and with nothing else', async () => {
    const { key } = await identity.createKey()
    expect(await revision()).toBe(seen + 1)
    const client = identity.keyClient
    await unary((done) => client.revokeKey({ id: key?.id }, as(ADMIN_KEY), done))
    expect(await revision()).toBe(seen + 2)
    await unary((done) => client.revokeKey({ id: key?.id }, as(ADMIN_KEY), done))
    expect(await revision()).toBe(seen + 2)
  })

  test('counts changes that happen at once one by one', async () => {
    await Promise.all(Array.from({ length: 20 }, () => identity.createKey()))
    expect(await revision()).toBe(seen + 20)
  })

  function revision(): Promise<number> {
    return identity.authorize({ credential: ADMIN_KEY }).then((answer) => answer.revision)
  }
})

async function lastUsed(id: string | undefined): Promise<Date | undefined> {
  const row = await identity.owner.maybeOne(
    z.object({ at: z.date() }),
    sql`select last_used_at as at from keys where id = ${id}`,
  )
  return row?.at
}
