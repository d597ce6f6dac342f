import { canonicalEmail } from '../users/email.js'
import type { AccountRefusal } from './oauth.errors.js'

/** An account that a sign-in may lead to. */
export interface CandidateAccount {
  readonly isDisabled: boolean
  /** Whether its owner has proved the address here. */
  readonly isVerified: boolean
  /** Whether another subject of the same issuer signs in to it. */
  readonly hasOtherIdentity: boolean
}

/** Who a provider says has signed in, as far as it decides about accounts. */
interface Person {
  readonly email?: string | undefined
  readonly emailVerified: boolean
}

export type AccountDecision<Account extends CandidateAccount> =
  | { readonly kind: 'sign_in' | 'link'; readonly account: Account }
  | { readonly kind: 'create'; readonly email: string; readonly emailCanonical: string }
  | { readonly kind: 'refuse'; readonly reason: AccountRefusal; readonly account?: Account }

/**
 * Which account somebody from a provider signs in to. An account that is linked to them already, whatever its address
 * is by now. Else the one with their address, if both the provider and we know that the address is its owner's, and no
 * other subject of the provider has it. Else a new one, if the provider knows and the domain of the address is allowed.
 * @param candidates `linked`: the account of this issuer and subject; `local`: the one with the address; no deleted ones
 */
export function decideAccount<Account extends CandidateAccount>(
  { email: given, emailVerified }: Person,
  candidates: { readonly linked: Account | undefined; readonly local: Account | undefined },
  allowedDomains: readonly string[],
): AccountDecision<Account> {
  const { linked, local } = candidates
  if (linked) return entered('sign_in', linked)
  const email = given ?? ''
  const emailCanonical = canonicalEmail(email)
  if (emailCanonical === undefined) return { kind: 'refuse', reason: 'no_address' }
  if (!emailVerified) return refusal('unverified_address', local)
  if (!local) {
    return isAllowed(emailCanonical, allowedDomains)
      ? { kind: 'create', email, emailCanonical }
      : { kind: 'refuse', reason: 'domain_not_allowed' }
  }
  if (!local.isVerified) return refusal('unverified_account', local)
  if (local.hasOtherIdentity) return refusal('another_identity', local)
  return entered('link', local)
}

function entered<Account extends CandidateAccount>(
  kind: 'sign_in' | 'link',
  account: Account,
): AccountDecision<Account> {
  return account.isDisabled ? refusal('disabled_user', account) : { kind, account }
}

function refusal<Account extends CandidateAccount>(
  reason: AccountRefusal,
  account: Account | undefined,
): AccountDecision<Account> {
  return { kind: 'refuse', reason, ...(account && { account }) }
}

/** The whole domain, never a part of it. */
function isAllowed(emailCanonical: string, allowedDomains: readonly string[]): boolean {
  const domain = emailCanonical.slice(emailCanonical.lastIndexOf('@') + 1)
  return allowedDomains.some((allowed) => allowed.toLowerCase() === domain)
}
