import { createHash, randomBytes } from 'node:crypto'

/** What a token is good for; it says so itself, and is good for nothing else. */
export type OneTimePurpose = 'invite' | 'reset'

/** Lives, in milliseconds: an invite waits for somebody who does not expect it. */
export const ONE_TIME_TTL_MS: Readonly<Record<OneTimePurpose, number>> = {
  invite: 7 * 86_400_000,
  reset: 30 * 60_000,
}

const PATTERN = /^(invite|reset)_[A-Za-z0-9_-]{43}$/

/** A token as its bearer holds it, and as the database does. */
export interface OneTimeToken {
  readonly secret: string
  readonly purpose: OneTimePurpose
  readonly tokenHash: Buffer
}

/** A new token: purpose and 256 random bits. */
export function makeOneTimeToken(purpose: OneTimePurpose): OneTimeToken {
  return ofSecret(`${purpose}_${randomBytes(32).toString('base64url')}`, purpose)
}

/** @returns `undefined` when the text is no such token */
export function parseOneTimeToken(text: string): OneTimeToken | undefined {
  const purpose = PATTERN.exec(text)?.[1]
  return purpose === 'invite' || purpose === 'reset' ? ofSecret(text, purpose) : undefined
}

function ofSecret(secret: string, purpose: OneTimePurpose): OneTimeToken {
  return { secret, purpose, tokenHash: createHash('sha256').update(secret).digest() }
}
