import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits: a state, a nonce, a code verifier, what a browser keeps. 43 characters of base64url. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** As the database holds it. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** RFC 7636 section 4.2, method S256. */
export function challengeOf(codeVerifier: string): string {
  return hashSecret(codeVerifier).toString('base64url')
}
