import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { API_KEY_PATTERN, generateApiKey } from '@olytix/auth-guards/api-key'
import { fromGrpcError } from '@olytix/errors/nest'
import { ident, sql } from '@olytix/postgres'
import type { Key, ListKeysResponse, RevokeKeyRequest } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_KEY, as, failure, Harness, unary } from './harness.js'

let identity: Harness

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('creating a key', () => {
  test('gives it once, with the defaults: read, viewer, 365 days to 00:00 UTC', async () => {
    const { secret, key } = await identity.createKey({ name: 'My Application' })
    expect(secret).toMatch(API_KEY_PATTERN)
    expect(key).toEqual({
      id: expect.stringMatching(/^key_[0-9a-z]{21}$/),
      name: 'My Application',
      hint: secret.slice(16, 20),
      scopes: ['read'],
      roles: ['viewer'],
      attributes: {},
      allowedIps: [],
      rateLimit: undefined,
      description: '',
      status: 'KEY_STATUS_ACTIVE',
      createdBy: expect.stringMatching(/^key_/),
      createdAt: identity.clock.at,
      expiresAt: new Date('2027-11-24T00:00:00.000Z'),
      lastUsedAt: undefined,
      rotatedFrom: '',
      rotatedTo: '',
      ownerId: expect.stringMatching(/^usr_/),
    })
  })

  test.each([
    [['write'], 'developer'],
    [['read', 'admin'], 'admin'],
  ])('with %j gives the role %s', async (scopes, role) => {
    expect((await identity.createKey({ scopes })).key?.roles).toEqual([role])
  })

  test('takes any role that exists, and names the nearest for one that does not', async () => {
    expect((await identity.createKey({ roles: ['analyst', 'viewer'] })).key?.roles).toEqual([
      'analyst',
      'viewer',
    ])
    expect(await problems({ roles: ['viewer', 'analist'] })).toEqual([
      { path: 'roles[1]', message: 'There is no role "analist"', suggestion: 'analyst' },
    ])
  })

  test('names every problem at once, by its place', async () => {
    const found = await problems({
      name: '',
      scopes: ['read', 'rite'],
      expiresInDays: 40_000,
      roles: Array.from({ length: 51 }, () => 'viewer'),
      attributes: { 'Not-A-Name': { stringValue: 'x' } },
      allowedIps: ['10.0.0.0/8', '10.0.0.1/33', ''],
      rateLimit: { requests: 0, perSeconds: 1 },
      description: 'x'.repeat(1001),
    })
    expect(found?.map(({ path, suggestion }) => [path, suggestion])).toEqual([
      ['name', undefined],
      ['description', undefined],
      ['scopes[1]', 'write'],
      ['roles', undefined],
      ['attributes', undefined],
      ['allowed_ips[1]', undefined],
      ['allowed_ips[2]', undefined],
      ['rate_limit.requests', undefined],
      ['expires_in_days', undefined],
    ])
  })

  test.each([
    ['name', { name: 'a\0b' }],
    ['name', { name: 'x'.repeat(201) }],
    ['description', { description: '\0' }],
    ['attributes.region', { attributes: { region: { stringValue: 'a\0' } } }],
    ['attributes.region', { attributes: { region: {} } }],
    ['attributes.level', { attributes: { level: { numberValue: Number.NaN } } }],
    ['attributes.list', { attributes: { list: { listValue: { values: [{}] } } } }],
  ])('refuses what cannot be kept in %s', async (path, request) => {
    expect((await problems(request))?.map((problem) => problem.path)).toEqual([path])
  })

  test('leaves no secret in the database but the hint', async () => {
    const made = await Promise.all(Array.from({ length: 100 }, () => identity.createKey()))
    const rows = await Promise.all(
      ['keys', 'audit_events', 'key_roles', 'users'].map((table) =>
        identity.owner.many(
          z.object({ row: z.string() }),
          sql`select dumped::text as row from ${ident(table)} as dumped`,
        ),
      ),
    )
    const dump = JSON.stringify(rows)
    for (const { secret } of made) {
      expect(dump).toContain(createHash('sha256').update(secret).digest('hex'))
      expect(dump).not.toContain(secret.slice(16, 22))
      expect(dump).not.toContain(secret.slice(20, 42))
    }
    expect(identity.logged()).not.toContain('olytix-core_key_')
  })

  async function problems(
    request: Parameters<Harness['createKey']>[0],
  ): ReturnType<typeof detailsOf> {
    return detailsOf(identity.createKey(request))
  }
})

describe('the longest life that the operator allows', () => {
  test('bounds what is asked for and what is given by default', async () => {
    const limited = await Harness.start({ OLYTIX_SECURITY__API_KEY_MAX_DAYS: '90' })
    try {
      const { key } = await limited.createKey()
      expect(key?.expiresAt).toEqual(new Date('2027-02-22T00:00:00.000Z'))
      expect(await detailsOf(limited.createKey({ expiresInDays: 91 }))).toMatchObject([
        { path: 'expires_in_days' },
      ])
    } finally {
      await limited.end()
    }
  })
})

describe('listing keys', () => {
  test('shows each key once over pages, newest first, and never a secret', async () => {
    identity.clock.advance(1000)
    const { key: first } = await identity.createKey({ name: 'first' })
    identity.clock.advance(1000)
    await Promise.all(Array.from({ length: 7 }, () => identity.createKey()))
    const seen: Key[] = []
    let pageToken = ''
    do {
      const page = await list(3, pageToken)
      expect(page.keys.length).toBeLessThanOrEqual(3)
      seen.push(...page.keys)
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    const ids = seen.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect([...ids].sort().reverse()).toEqual(ids)
    expect(ids.indexOf(first?.id ?? '')).toBe(7)
    expect(JSON.stringify(seen)).not.toContain('olytix-core_key_')
  })

  test.each([
    [1001, ''],
    [10, 'key_x'],
    [10, "' or 1=1 --"],
    [10, '\0'],
  ])('refuses a page of %d after %j', async (pageSize, pageToken) => {
    expect((await failure(list(pageSize, pageToken))).code).toBe(status.INVALID_ARGUMENT)
  })

  function list(pageSize: number, pageToken: string): Promise<ListKeysResponse> {
    const client = identity.keyClient
    return unary((done) => client.listKeys({ pageSize, pageToken }, as(ADMIN_KEY), done))
  }
})

describe('a key that is not there', () => {
  test.each(['', 'key_000000000000000000000', '%', '_', "' OR 1=1 --", 'usr_1'])(
    'answers alike for the id %j, and nothing is revoked',
    async (id) => {
      const client = identity.keyClient
      const errors = [
        await failure(unary((done) => client.getKey({ id }, as(ADMIN_KEY), done))),
        await failure(revoke({ id })),
      ]
      for (const { code, details } of errors) {
        expect([code, details]).toEqual([status.NOT_FOUND, 'There is no such key'])
      }
      expect((await identity.authorize({ credential: ADMIN_KEY })).decision).toBe('DECISION_ALLOW')
    },
  )

  test('answers alike for a secret, well formed or not', async () => {
    for (const secret of [generateApiKey(randomBytes).secret, 'nonsense']) {
      expect((await failure(revoke({ secret }))).code).toBe(status.NOT_FOUND)
    }
  })
})

describe('revoking a key', () => {
  test('needs no more than its text, works at once and may be repeated', async () => {
    const { secret, key } = await identity.createKey()
    await revoke({ secret })
    await revoke({ secret })
    await revoke({ id: key?.id })
    const client = identity.keyClient
    const shown = await unary<{ key: Key | undefined }>((done) =>
      client.getKey({ id: key?.id ?? '' }, as(ADMIN_KEY), done),
    )
    expect(shown.key?.status).toBe('KEY_STATUS_REVOKED')
    expect(await events(key?.id)).toEqual(['key_created', 'key_revoked'])
  })

  test('by nothing at all is refused', async () => {
    expect((await failure(revoke({}))).code).toBe(status.INVALID_ARGUMENT)
  })
})

describe('the audit trail', () => {
  test('says who made a key, from where, in which request, and what it may', async () => {
    const client = identity.keyClient
    const metadata = as(ADMIN_KEY)
    metadata.set('service-token', 'test-service-token-0123456789-abcdef')
    metadata.set('client-ip', '::ffff:192.0.2.7')
    metadata.set('request-id', 'request-4711')
    const request = { scopes: ['read'], roles: [], attributes: {}, allowedIps: [] }
    const { key } = await unary<{ key: Key | undefined }>((done) =>
      client.createKey(
        { name: 'Audited', expiresInDays: 1, rateLimit: undefined, description: '', ...request },
        metadata,
        done,
      ),
    )
    const event = await identity.owner.maybeOne(
      z.record(z.string(), z.unknown()),
      sql`select * from audit_events where subject_id = ${key?.id}`,
    )
    expect(event).toMatchObject({
      event_type: 'key_created',
      timestamp: identity.clock.at,
      request_id: 'request-4711',
      user_id: expect.stringMatching(/^key_/),
      user_roles: ['admin'],
      client_ip: '192.0.2.7',
      subject_kind: 'key',
      access_granted: true,
      additional_data: { after: { name: 'Audited', scopes: ['read'], roles: ['viewer'] } },
    })
  })

  test('holds nothing of a change that failed', async () => {
    const before = await count()
    await failure(identity.createKey({ roles: ['nobody'] }))
    expect(await count()).toBe(before)
  })

  async function count(): Promise<number | undefined> {
    const row = await identity.owner.maybeOne(
      z.object({ count: z.int() }),
      sql`select count(*)::int as count from audit_events`,
    )
    return row?.count
  }
})

function revoke(request: RevokeKeyRequest): Promise<unknown> {
  const client = identity.keyClient
  return unary((done) => client.revokeKey(request, as(ADMIN_KEY), done))
}

async function events(subjectId: string | undefined): Promise<string[]> {
  const rows = await identity.owner.many(
    z.object({ event_type: z.string() }),
    sql`select event_type from audit_events where subject_id = ${subjectId} order by id`,
  )
  return rows.map((row) => row.event_type)
}

async function detailsOf(
  call: Promise<unknown>,
): Promise<ReturnType<typeof fromGrpcError>['details']> {
  const error = await failure(call)
  expect(error.code).toBe(status.INVALID_ARGUMENT)
  return fromGrpcError(error, 'Identity').details
}
