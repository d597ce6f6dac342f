import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ProviderMistrusted } from './provider-errors.js'

/** Signatures that only the holder of a private key can make, with the hash that belongs to each. */
const HASH_BY_ALGORITHM: Readonly<Record<string, string>> = {
  RS256: 'sha256',
  PS256: 'sha256',
  ES256: 'sha256',
  RS384: 'sha384',
  PS384: 'sha384',
  ES384: 'sha384',
  RS512: 'sha512',
  PS512: 'sha512',
  ES512: 'sha512',
  EdDSA: 'sha512',
  Ed25519: 'sha512',
}
const LEEWAY_SECONDS = 30

/** The algorithms that a key may be meant for. */
export function isAcceptedAlgorithm(algorithm: string): boolean {
  return Object.hasOwn(HASH_BY_ALGORITHM, algorithm)
}

const headerShape = z.looseObject({ alg: z.string() })

const claimsShape = z.looseObject({
  iss: z.string(),
  // OpenID Connect Core 1.0 §2: at most 255 ASCII characters.
  sub: z.string().regex(/^[\x20-\x7e]{1,255}$/),
  iat: z.number(),
  azp: z.string().optional(),
  at_hash: z.string().optional(),
})

export type IdTokenClaims = z.output<typeof claimsShape>

export interface IdTokenReply {
  readonly idToken: string
  /** The claims, after openid-client has checked signature, iss, aud, exp and nonce. */
  readonly claims: unknown
  readonly accessToken: string
}

/**
 * What openid-client leaves open in the code flow: the algorithm whatever the metadata says, `azp` with one audience,
 * `iat` in the future, the form of `sub`, and `at_hash` (OpenID Connect Core 1.0 §3.1.3.6).
 * @throws ProviderMistrusted
 */
export function checkIdToken(
  { idToken, claims, accessToken }: IdTokenReply,
  clientId: string,
  now: Date,
): IdTokenClaims {
  const parsed = claimsShape.safeParse(claims)
  if (!parsed.success) throw new ProviderMistrusted('an ID token with claims of another form')
  const { azp, iat, at_hash: atHash } = parsed.data
  const algorithm = algorithmOf(idToken)
  const hash = isAcceptedAlgorithm(algorithm) ? HASH_BY_ALGORITHM[algorithm] : undefined
  if (hash === undefined) throw new ProviderMistrusted('an ID token with another algorithm')
  if (azp !== undefined && azp !== clientId) {
    throw new ProviderMistrusted('an ID token for another party (azp)')
  }
  if (iat > now.getTime() / 1000 + LEEWAY_SECONDS) {
    throw new ProviderMistrusted('an ID token from the future (iat)')
  }
  if (atHash !== undefined && atHash !== leftHalf(hash, accessToken)) {
    throw new ProviderMistrusted('an ID token of another access token (at_hash)')
  }
  return parsed.data
}

function algorithmOf(idToken: string): string {
  const [header = ''] = idToken.split('.')
  const text = Buffer.from(header, 'base64url').toString()
  return headerShape.parse(JSON.parse(text)).alg
}

function leftHalf(hash: string, text: string): string {
  const digest = createHash(hash).update(text, 'ascii').digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
