import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { checkIdToken, type IdTokenReply } from './id-token.js'

const NOW = new Date('2026-11-24T10:00:00Z')
const ACCESS_TOKEN = 'an-access-token'

function signedWith(alg: string, claims: Record<string, unknown> = {}): IdTokenReply {
  const header = Buffer.from(JSON.stringify({ alg })).toString('base64url')
  const iat = NOW.getTime() / 1000
  return {
    idToken: `${header}.x.x`,
    claims: { iss: 'https://id.example.com', sub: 'ada', iat, ...claims },
    accessToken: ACCESS_TOKEN,
  }
}

test.each(['RS256', 'PS384', 'ES512', 'EdDSA'])('%s is a signature of one key holder', (alg) => {
  expect(checkIdToken(signedWith(alg), 'client', NOW)).toMatchObject({ sub: 'ada' })
})

test.each(['none', 'HS256', 'HS512', 'rs256', '', '__proto__', 'ML-DSA-44'])(
  '%s is refused whatever the library thinks of it',
  (alg) => {
    expect(() => checkIdToken(signedWith(alg), 'client', NOW)).toThrow('another algorithm')
  },
)

test.each([
  ['RS256', 'sha256'],
  ['ES384', 'sha384'],
  ['PS512', 'sha512'],
  ['EdDSA', 'sha512'],
])('at_hash of %s is the left half of %s', (alg, hash) => {
  const digest = createHash(hash).update(ACCESS_TOKEN).digest()
  const half = digest.subarray(0, digest.length / 2).toString('base64url')
  const check = (at_hash: string) => () => checkIdToken(signedWith(alg, { at_hash }), 'client', NOW)
  expect(check(half)).not.toThrow()
  expect(check(digest.toString('base64url'))).toThrow('at_hash')
  expect(check(`${half}=`)).toThrow('at_hash')
})
