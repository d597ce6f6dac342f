import { hash } from 'node:crypto'
import type { Credential } from '../presented-credential.js'
import { strategyFor } from '../strategies.js'

/**
 * Under which name the principal of a credential is kept: SHA-256 over what kind of credential it is, how it arrived
 * and its text, each with its length before it. No two credentials share a name, the same text as key and as token
 * neither; and whoever sees the names learns no credential.
 */
export function cacheKey({ text, source }: Credential): string {
  const parts = ['principal', strategyFor(text), source, text]
  return hash('sha256', parts.map(withLength).join(''), 'base64')
}

function withLength(part: string): string {
  return `${String(Buffer.byteLength(part))}:${part}`
}
