import { z } from 'zod'
import { isSignatureGood, signJws, splitJws } from './jws.js'
import type { SigningAlgorithm, SigningKey } from './key-material.js'

/** Life of an access token in seconds, as documented. */
export const ACCESS_TTL_SECONDS = 3600

/** How far the clock of another replica may be ahead, in seconds. */
const LEEWAY_SECONDS = 5

const id = (prefix: string): z.ZodString => z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{21}$`))
const seconds = z.int().min(0)

/** RFC 7519 §4 and ours; exactly these. `roles` and `scope` inform clients and decide nothing. */
const accessClaims = z.strictObject({
  sub: id('usr'),
  email: z.string(),
  roles: z.array(z.string()),
  scope: z.string(),
  iss: z.string(),
  aud: z.string(),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  jti: id('tok'),
  sid: id('ses'),
})

export type AccessClaims = z.output<typeof accessClaims>

/** What a token must say to be one of this service. */
export interface TokenRules {
  readonly algorithm: SigningAlgorithm
  readonly issuer: string
  readonly audience: string
}

/** Finds keys that may have signed a token: the one with this id, or without an id all of the algorithm. */
export type KeyFinder = (kid: string | undefined) => Promise<readonly SigningKey[]>

/** What a token says, if it is one of ours and in force. Whether key, session and user still are is not known yet. */
export type Verified =
  | { readonly claims: AccessClaims; readonly keyId: string }
  | { readonly denialReason: 'malformed_credential' | 'unknown_credential' | 'expired_credential' }

/** The text that is signed: a retry signs the same text again. */
export function accessPayload(claims: AccessClaims): string {
  return JSON.stringify(claims)
}

/** Signs claims: `{"alg":"HS256","typ":"JWT"}`, and a `kid` when the key is asymmetric. */
export function signAccessToken(payload: string, key: SigningKey): Promise<string> {
  const kid = key.algorithm === 'HS256' ? undefined : key.id
  return signJws(payload, { alg: key.algorithm, typ: 'JWT', ...(kid && { kid }) }, key.signing)
}

/**
 * The one verifier of access tokens. In this order: form, header, claims by their form, signature, issuer, audience,
 * times. Header and payload must be the very JSON that `JSON.stringify` writes, which leaves no room for members twice,
 * escapes, blanks or numbers in other spellings; they hold exactly the members that we write.
 * @param now seconds since 1970; a token is refused from `exp` on, and up to 5 s before its `iat` and `nbf`
 */
export async function verifyAccessToken(
  text: string,
  findKeys: KeyFinder,
  { algorithm, issuer, audience, now }: TokenRules & { readonly now: number },
): Promise<Verified> {
  const parts = splitJws(text)
  const header = parts && readHeader(parts.header, algorithm)
  const claims = parts && accessClaims.safeParse(readJson(parts.payload)).data
  if (!header || !claims) return { denialReason: 'malformed_credential' }
  const key = await firstThatSigned(text, algorithm, await findKeys(header.kid))
  if (!key || claims.iss !== issuer || claims.aud !== audience || !areTimesSound(claims, now)) {
    return { denialReason: 'unknown_credential' }
  }
  return now >= claims.exp ? { denialReason: 'expired_credential' } : { claims, keyId: key.id }
}

/** RFC 8725 §3.1: one algorithm, and nothing in the header that could speak for another key. */
function readHeader(
  json: Buffer,
  algorithm: SigningAlgorithm,
): { readonly kid?: string | undefined } | undefined {
  const header = z.strictObject({
    alg: z.literal(algorithm),
    typ: z.literal('JWT'),
    kid: algorithm === 'HS256' ? z.never().optional() : id('sgk'),
  })
  return header.safeParse(readJson(json)).data
}

/** @returns `undefined` for anything but well-formed UTF-8 of the very JSON that we would write */
function readJson(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text && !text.includes('"__proto__"') ? value : undefined
  } catch {
    return undefined
  }
}

async function firstThatSigned(
  text: string,
  algorithm: SigningAlgorithm,
  keys: readonly SigningKey[],
): Promise<SigningKey | undefined> {
  for (const key of keys) {
    if (await isSignatureGood(text, key.verifying, algorithm)) return key
  }
  return undefined
}

function areTimesSound({ iat, nbf, exp }: AccessClaims, now: number): boolean {
  const isLifeSound = exp > iat && exp - iat <= ACCESS_TTL_SECONDS
  return isLifeSound && iat <= now + LEEWAY_SECONDS && nbf <= now + LEEWAY_SECONDS
}
