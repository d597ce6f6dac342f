import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import type { GetJwksResponse, ListSigningKeysResponse, SigningKey } from '@olytix/proto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import { decodePart, stolenKeys } from './forge.js'
import { ADMIN_KEY, as, failure, Harness, unary } from './harness.js'

const jwks = z.object({
  keys: z.array(z.looseObject({ kid: z.string(), alg: z.string(), use: z.literal('sig') })),
})

describe.each(['HS256', 'ES256', 'RS256'] as const)('signing keys under %s', (algorithm) => {
  let identity: Harness

  beforeAll(async () => {
    identity = await Harness.start({ OLYTIX_SECURITY__JWT_ALGORITHM: algorithm })
  })

  afterAll(() => identity.end())

  test('are an active and a next one from the start, made once by several processes', async () => {
    const own = await Harness.create({ OLYTIX_SECURITY__JWT_ALGORITHM: algorithm })
    try {
      await Promise.all([own.startAnother(), own.startAnother()])
      const rows = await own.owner.many(
        z.object({ algorithm: z.string(), state: z.string() }),
        sql`select algorithm, state from signing_keys order by algorithm = ${algorithm}, state`,
      )
      expect(rows).toEqual([
        { algorithm: 'HMAC-SHA-256', state: 'active' },
        { algorithm: 'HMAC-SHA-256', state: 'next' },
        { algorithm, state: 'active' },
        { algorithm, state: 'next' },
      ])
    } finally {
      await own.end()
    }
  })

  test('rotate without logging anybody out: the next one signs, the former still counts', async () => {
    const before = await identity.signIn()
    const keys = await listKeys()
    const next = keys.find((key) => key.algorithm === algorithm && isOf(key, 'NEXT'))
    const active = await rotate()
    expect(active).toMatchObject({ id: next?.id, algorithm, state: 'SIGNING_KEY_STATE_ACTIVE' })
    const after = await identity.signIn()
    if (algorithm !== 'HS256') expect(decodePart(after.accessToken, 0)['kid']).toBe(active?.id)
    for (const { accessToken, refreshToken } of [before, after]) {
      expect(await decision(accessToken)).toBe('DECISION_ALLOW')
      await identity.refresh(refreshToken)
    }
    const states = (await listKeys()).filter((key) => key.algorithm === algorithm)
    expect(states.map(({ state }) => state.replace('SIGNING_KEY_STATE_', '')).sort()).toEqual([
      'ACTIVE',
      'NEXT',
      'RETIRING',
    ])
  })

  test('rotate on one process and verify on another, twice at once, with one active in the end', async () => {
    const one = identity.tokenClient
    await identity.startAnother()
    const two = identity.tokenClient
    const rotations = [one, two, one, two].map((client) =>
      unary((done) => client.rotateSigningKey({}, as(ADMIN_KEY), done)),
    )
    await Promise.all(rotations)
    const keys = (await listKeys()).filter((key) => key.algorithm === algorithm)
    expect(keys.filter((key) => isOf(key, 'ACTIVE'))).toHaveLength(1)
    expect(keys.filter((key) => isOf(key, 'NEXT'))).toHaveLength(1)
    const pair = await identity.signIn()
    for (const client of [one, two]) {
      const listed = unary((done) =>
        client.listSessions({ pageSize: 1, pageToken: '' }, as(pair.accessToken), done),
      )
      expect(await listed).toHaveProperty('sessions')
    }
  })

  test('when revoked stop all they signed at the next call, on every process', async () => {
    const pair = await identity.signIn()
    const other = identity.authorizationClient
    await identity.startAnother()
    expect(await decision(pair.accessToken)).toBe('DECISION_ALLOW')
    const keys = await listKeys()
    const active = keys.find((key) => key.algorithm === algorithm && isOf(key, 'ACTIVE'))
    await revoke(active?.id ?? '')
    await revoke(active?.id ?? '')
    other.close()
    expect(await decision(pair.accessToken)).toBe('DECISION_DENY')
    const next = await identity.refresh(pair.refreshToken)
    expect(await decision(next.accessToken)).toBe('DECISION_ALLOW')
    const events = await identity.owner.many(
      z.object({ additional_data: z.unknown() }),
      sql`
        select additional_data from audit_events
        where event_type = 'signing_key_rotated' and subject_id = ${active?.id}
          and additional_data ->> 'after' = 'revoked'`,
    )
    expect(events).toHaveLength(1)
  })

  test('that do not exist cannot be revoked', async () => {
    for (const id of [`sgk_${'0'.repeat(21)}`, '%', '', "' or 1=1 --"]) {
      const error = await failure(revoke(id))
      expect([error.code, error.details]).toEqual([
        status.NOT_FOUND,
        'There is no such signing key',
      ])
    }
  })

  test('are published, next one included, unless they are secret', async () => {
    await rotate()
    const { keys } = await published()
    if (algorithm === 'HS256') {
      expect(keys).toEqual([])
      return
    }
    const expected = (await listKeys()).filter(
      (key) => key.algorithm === algorithm && !isOf(key, 'REVOKED'),
    )
    expect(keys.map(({ kid }) => kid).sort()).toEqual(expected.map(({ id }) => id).sort())
    expect(keys.some((key) => 'd' in key || 'k' in key || 'p' in key)).toBe(false)
    const { accessToken } = await identity.signIn()
    const set = createLocalJWKSet({
      keys: keys.map((key) => ({ ...key, kty: String(key['kty']) })),
    })
    const verified = await jwtVerify(accessToken, set, {
      currentDate: identity.clock.at,
      issuer: 'olytix-core',
      audience: 'olytix-core',
    })
    expect(verified.payload.sub).toMatch(/^usr_/)
  })

  test('are of no use to whoever reads the database', async () => {
    const rows = await identity.owner.many(
      z.unknown(),
      sql`select signing_keys::text as row, encode(sealed, 'hex') as hex from signing_keys`,
    )
    const dump = JSON.stringify(rows)
    for (const key of (await stolenKeys(identity, algorithm)).values()) {
      const secret =
        key.signing.type === 'secret'
          ? key.signing.export()
          : key.signing.export({ type: 'pkcs8', format: 'der' })
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(dump).not.toContain(secret.subarray(-16).toString(encoding))
      }
    }
  })

  function listKeys(): Promise<SigningKey[]> {
    return unary<ListSigningKeysResponse>((done) =>
      identity.tokenClient.listSigningKeys({}, as(ADMIN_KEY), done),
    ).then(({ signingKeys }) => signingKeys)
  }

  async function rotate(): Promise<SigningKey | undefined> {
    const { signingKey } = await unary<{ signingKey?: SigningKey | undefined }>((done) =>
      identity.tokenClient.rotateSigningKey({}, as(ADMIN_KEY), done),
    )
    return signingKey
  }

  function revoke(id: string): Promise<unknown> {
    return unary((done) => identity.tokenClient.revokeSigningKey({ id }, as(ADMIN_KEY), done))
  }

  async function published(): Promise<z.output<typeof jwks>> {
    const answer = await unary<GetJwksResponse>((done) => identity.tokenClient.getJwks({}, done))
    return jwks.parse(JSON.parse(answer.jwks))
  }

  async function decision(credential: string): Promise<string> {
    return (await identity.authorize({ credential })).decision
  }
})

function isOf({ state }: SigningKey, name: string): boolean {
  return state.replace('SIGNING_KEY_STATE_', '') === name
}

test('another master key than that of the first start stops the start and says so', async () => {
  const identity = await Harness.start()
  try {
    const other = { OLYTIX_SECURITY__MASTER_KEY: randomBytes(32).toString('hex') }
    await expect(identity.startAnother(other)).rejects.toThrow(
      'OLYTIX_SECURITY__MASTER_KEY does not open the signing keys in the database',
    )
  } finally {
    await identity.end()
  }
})

test('another algorithm from one start to the next refuses old access tokens and refreshes them', async () => {
  const identity = await Harness.start()
  try {
    const pair = await identity.signIn()
    await identity.stop()
    await identity.startAnother({ OLYTIX_SECURITY__JWT_ALGORITHM: 'ES256' })
    expect((await identity.authorize({ credential: pair.accessToken })).decision).toBe(
      'DECISION_DENY',
    )
    const next = await identity.refresh(pair.refreshToken)
    expect(decodePart(next.accessToken, 0)['alg']).toBe('ES256')
    expect((await identity.authorize({ credential: next.accessToken })).decision).toBe(
      'DECISION_ALLOW',
    )
  } finally {
    await identity.end()
  }
})
