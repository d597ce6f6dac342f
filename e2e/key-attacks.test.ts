import { crc32 } from 'node:zlib'
import { beforeAll, describe, expect, test } from '@jest/globals'
import {
  asAdmin,
  createUser,
  expectRefused,
  expectWithinBound,
  signIn,
  statusOf,
} from './harness/accounts.js'
import { expectRefusal, FORBIDDEN, UNAUTHORIZED } from './harness/errors.js'
import { ask, createKey, fieldsOf } from './harness/http.js'

/** Attacks with API keys; the numbers are those of the attack list. What the documentation shows has its own tests. */

const ME = '/api/v1/auth/me'

let key: string
beforeAll(async () => {
  ;({ key } = await createKey())
})

function presenting(authorization: string | readonly string[]) {
  return ask(ME, { headers: { Authorization: authorization } })
}

describe('1 no credential', () => {
  test.each(['', 'Bearer', 'Bearer '])(
    'the header %j: 401 that does not speak of a token',
    async (value) => {
      const answer = await presenting(value)
      expect(answer).toMatchObject({ status: 401, text: UNAUTHORIZED })
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b(?!.*error=)/)
    },
  )
})

describe('2 the scheme', () => {
  test.each([
    ['bearer ', 200],
    ['BEARER ', 200],
    ['Bearer  ', 200],
    ['Basic ', 401],
    ['Token ', 401],
    ['', 400],
    ['Bearer\t', 400],
  ])('%j before a good key: %d', async (scheme, status) => {
    expect((await presenting(`${scheme}${key}`)).status).toBe(status)
  })
})

describe('3 more than one credential', () => {
  test.each([
    ['two headers', () => presenting([`Bearer ${key}`, `Bearer ${key}`])],
    ['two headers of which one is empty', () => presenting([`Bearer ${key}`, ''])],
    ['joined by a comma', () => presenting(`Bearer ${key}, Bearer ${key}`)],
    ['header and parameter', () => ask(`${ME}?api_key=${key}`, { key })],
    ['the parameter twice', () => ask(`${ME}?api_key=${key}&api_key=${key}`)],
    ['the parameter as a list', () => ask(`${ME}?api_key[]=${key}`)],
  ])('%s: 400', async (_how, question) => {
    expectRefusal(await question(), 400, 'INVALID_REQUEST')
  })
})

describe('4 what a credential cannot hold', () => {
  test.each(['%00', '%0d%0aX-Admin:%201', '%C3%A4', '%E2%80%AE'])(
    'the parameter with %s: 400',
    async (text) => {
      expectRefusal(await ask(`${ME}?api_key=${key}${text}`), 400, 'INVALID_REQUEST')
    },
  )

  test('bytes that are no UTF-8, or broken escapes, are refused and are no failure', async () => {
    for (const text of ['%E0%A4%A', '%FF', '%']) {
      expect([400, 401]).toContain((await ask(`${ME}?api_key=${text}`)).status)
    }
  })

  test('a header that is not ASCII: 400', async () => {
    expectRefusal(await presenting(`Bearer ${key}\u00e4`), 400, 'INVALID_REQUEST')
  })

  test('a header of 1 MB: 431', async () => {
    expectRefusal(await presenting(`Bearer ${'x'.repeat(1_000_000)}`), 431, 'HEADERS_TOO_LARGE')
  })
})

describe('5 6 7 a key that there is not', () => {
  const flip = (text: string): string => (text === 'a' ? 'b' : 'a')

  test('is refused with the same answer, whatever is wrong with it', async () => {
    const at = 'olytix-core_key_'.length
    const changed = key.slice(0, at) + flip(key.charAt(at)) + key.slice(at + 1)
    const others = [
      changed,
      withChecksum(changed),
      withChecksum(`olytix-core_key_${'z'.repeat(26)}`),
      key.slice(0, -1) + flip(key.slice(-1)),
      key.toUpperCase(),
      key.replace('olytix', 'Olytix'),
      key.replace('_key_', '-key_'),
      key.replace('olytix-core', 'olytix_core'),
      key.slice(at),
      `${key}x`,
      `x${key}`,
      `${key}.`,
    ]
    for (const other of others) {
      const { status, text, headers } = await ask(ME, { key: other })
      const challenge = 'Bearer realm="olytix-core", error="invalid_token"'
      expect({ other, status, text }).toEqual({ other, status: 401, text: UNAUTHORIZED })
      expect(headers['www-authenticate']).toBe(challenge)
    }
    for (const text of [`${key}%20`, `%20${key}`]) {
      expect((await ask(`${ME}?api_key=${text}`)).status).toBe(401)
    }
    expect(await statusOf(key)).toBe(200)
  })
})

describe('8 a key that has ended', () => {
  test('when it is disabled, until it is enabled', async () => {
    const { id, key: other } = await createKey()
    expect(await statusOf(other)).toBe(200)
    expect((await asAdmin('PATCH', `keys/${id}`, { disabled: true })).status).toBe(200)
    await expectRefused(other)
    expect((await asAdmin('PATCH', `keys/${id}`, { disabled: false })).status).toBe(200)
    await expectWithinBound(() => statusOf(other), 200)
  })

  test('when its owner is disabled or deleted', async () => {
    const owner = await createUser({ roles: ['admin'] })
    const { access_token } = await signIn(owner)
    const { key: owned } = await createKey({}, access_token)
    expect(await statusOf(owned)).toBe(200)
    await asAdmin('PATCH', `users/${owner.id}`, { disabled: true })
    await expectRefused(owned)
    await asAdmin('PATCH', `users/${owner.id}`, { disabled: false })
    await expectWithinBound(() => statusOf(owned), 200)
    expect((await asAdmin('DELETE', `users/${owner.id}`)).status).toBe(204)
    await expectRefused(owned)
  })

  test('with all others of its owner, by one call', async () => {
    const owner = await createUser({ roles: ['admin'] })
    const { access_token } = await signIn(owner)
    const keys = await Promise.all([1, 2, 3].map(() => createKey({}, access_token)))
    const answer = await asAdmin('POST', 'keys/revoke', { owner_id: owner.id })
    expect(fieldsOf(answer)).toEqual({ revoked: 3 })
    for (const { key: owned } of keys) await expectRefused(owned)
    expect(await statusOf(access_token)).toBe(200)
  })
})

describe('10 a key that may be used from certain addresses', () => {
  test('is refused elsewhere with 403, whatever X-Forwarded-For says', async () => {
    const { id, key: bound } = await createKey({ allowed_ips: ['203.0.113.0/24'] })
    const headers = { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.7' }
    for (const question of [{}, { headers }]) {
      const answer = await ask(ME, { key: bound, ...question })
      expect(answer).toMatchObject({ status: 403, text: FORBIDDEN })
    }
    await asAdmin('PATCH', `keys/${id}`, { allowed_ips: ['127.0.0.0/8', '::1'] })
    await expectWithinBound(() => statusOf(bound), 200)
  })

  test.each(['10.0.0.1/33', '', 'localhost', '10.0.0.0/8,::1', '300.1.1.1'])(
    'cannot be bound to %j',
    async (address) => {
      const body = { name: 'e2e', expires_in_days: 1, allowed_ips: [address] }
      expectRefusal(await asAdmin('POST', 'keys', body), 400, 'INVALID_REQUEST')
    },
  )
})

describe('11 managing keys', () => {
  test.each([
    ['PATCH', '', { name: 'x' }],
    ['POST', '/rotate', { overlap_seconds: 0 }],
    ['GET', '/usage', undefined],
    ['GET', '', undefined],
  ])('%s …%s of an id that there is not: 404', async (method, suffix, body) => {
    for (const id of ['key_unknown', '%25', '_', "'%20OR%201=1%20--"]) {
      expectRefusal(await asAdmin(method, `keys/${id}${suffix}`, body), 404, 'NOT_FOUND')
    }
  })

  test('an address or a role that names the caller changes nothing', async () => {
    const headers = {
      'X-User-Id': 'usr_admin',
      'X-Olytix-Roles': 'admin',
      'Grpc-Metadata-Authorization': 'Bearer x',
    }
    const answer = await ask('/api/v1/auth/keys', { key, headers })
    expect(answer).toMatchObject({ status: 403, text: FORBIDDEN })
  })
})

/** The key with the checksum that belongs to its random characters: their CRC-32 in base36. */
function withChecksum(text: string): string {
  const random = text.slice('olytix-core_key_'.length).slice(0, 26)
  return `olytix-core_key_${random}${crc32(random).toString(36).padStart(7, '0')}`
}
