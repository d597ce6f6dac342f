import { canonicalEmail } from '../../users/email.js'
import type { ProviderProfile } from './provider.js'

type Claims = Readonly<Record<string, unknown>>

const MAX_NAME_LENGTH = 200

interface Person {
  readonly issuer: string
  readonly subject: string
  /** What the provider said, the most trusted source first. */
  readonly sources: readonly Claims[]
  readonly isVerified: (claims: Claims) => boolean
}

/**
 * The profile out of what one or more sources said. The address and whether it is verified come from the same source,
 * the first that has an address: otherwise one address could borrow the other's proof.
 */
export function profileOf({ issuer, subject, sources, isVerified }: Person): ProviderProfile {
  const claims: Record<string, unknown> = Object.fromEntries(
    sources.toReversed().flatMap((source) => Object.entries(source)),
  )
  delete claims['email']
  delete claims['email_verified']
  const source = sources.find((each) => each['email'] !== undefined)
  if (source) {
    claims['email'] = source['email']
    claims['email_verified'] = isVerified(source)
  }
  const email = emailOf(source)
  const name = nameOf(claims['name'])
  return {
    issuer,
    subject,
    ...(email === undefined ? {} : { email }),
    emailVerified: email !== undefined && claims['email_verified'] === true,
    ...(name === undefined ? {} : { name }),
    claims,
  }
}

function emailOf(source: Claims | undefined): string | undefined {
  const email = source?.['email']
  return typeof email === 'string' && canonicalEmail(email) !== undefined ? email : undefined
}

function nameOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined
  // Control characters and lone surrogates, which a database or a reader may not take.
  const readable = name.replace(/[\p{Cc}\p{Cs}]/gu, '').trim()
  return readable !== '' && readable.length <= MAX_NAME_LENGTH ? readable : undefined
}
