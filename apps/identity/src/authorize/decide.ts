import type { AttributeValue, Principal, Scope } from '@olytix/auth-guards'
import type { RateLimit, RateUse } from '../keys/rate-limits.service.js'

/** Why a request is denied; a closed list. For logs and the audit trail, never for the person who was denied. */
export const DENIAL_REASONS = [
  'missing_credential',
  'malformed_credential',
  'unknown_credential',
  'expired_credential',
  'revoked_credential',
  'disabled_credential',
  'disabled_user',
  'source_not_allowed',
  'address_not_allowed',
  'insufficient_scope',
  'rate_limited',
] as const

export type DenialReason = (typeof DENIAL_REASONS)[number]

/** How a credential arrived. */
export type CredentialSource = 'header' | 'query_parameter'

/** What is asked of a credential. */
export interface Demand {
  readonly source: CredentialSource
  /** All of them; none asks only who this is. */
  readonly requiredScopes: readonly Scope[]
  /** Canonical address of the client; null if it is not known. */
  readonly clientIp: string | null
}

/** A credential that exists, and everything about it that a decision needs, as of one moment. */
export interface HeldCredential {
  readonly id: string
  /** The session of an access token; null for an API key. */
  readonly sessionId: string | null
  readonly kind: Principal['kind']
  readonly email: string | null
  readonly name: string
  readonly roles: readonly string[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** Effective scopes, implied ones included. */
  readonly scopes: readonly Scope[]
  readonly expiresAt: Date
  readonly isRevoked: boolean
  readonly isDisabled: boolean
  /** The user behind it is disabled or deleted. */
  readonly isUserEnded: boolean
  /** Whether the client's address is on its allow-list. True if it has none. */
  readonly isAddressAllowed: boolean
  /** Whether another address might be answered differently. */
  readonly hasAllowList: boolean
  readonly rateLimit: RateLimit | null
  /** Ids of all that this was read from: `key_…`, `usr_…`, `role:<name>`, `ses_…`, the id of a signing key. */
  readonly dependsOn: readonly string[]
  /** Of the state that all this was read from. */
  readonly revision: number
}

/** The answer to a demand. Only an insufficient scope or a wrong address names the principal along with a denial. */
export interface Decision {
  /** Id of the credential that it is about, also if it no longer works; null for nobody's. */
  readonly heldId: string | null
  /** The session of an access token that works; null for any other credential. */
  readonly sessionId: string | null
  readonly denialReason: DenialReason | null
  readonly principal: Principal | null
  readonly rateLimit: RateLimit | null
  /** What the request found of the rate limit; null if it was not counted. */
  readonly rateUse: RateUse | null
  /** How long the principal may be reused for this credential, in milliseconds. 0 forbids reuse. */
  readonly cacheTtlMs: number
  /** What ends the reuse when it changes: the ids that `WatchInvalidations` tells. */
  readonly dependsOn: readonly string[]
  readonly revision: number
}

/** How long a guard may reuse an answer if it hears of all changes; one that does not hear must not reuse any. */
const MAX_REUSE_MS = 60_000

/** Decides on a credential that exists. The first reason that applies is the one given. */
export function decide(held: HeldCredential, demand: Demand, now: Date): Decision {
  const ended = endedReason(held, now)
  if (ended) return { ...denied(ended), heldId: held.id, revision: held.revision }
  const principal = principalOf(held, demand.source)
  const { rateLimit, dependsOn, revision } = held
  const refused = refusedReason(held, principal, demand)
  const isReusable = !refused && !held.hasAllowList && !rateLimit
  const timeLeftMs = held.expiresAt.getTime() - now.getTime()
  return {
    heldId: held.id,
    sessionId: held.sessionId,
    denialReason: refused,
    principal,
    rateLimit,
    rateUse: null,
    cacheTtlMs: isReusable ? Math.min(MAX_REUSE_MS, timeLeftMs) : 0,
    dependsOn,
    revision,
  }
}

/** A decision to allow, once the request has been counted: beyond the limit it is none. */
export function limited(decision: Decision, rateUse: RateUse): Decision {
  const denialReason = rateUse.isAllowed ? decision.denialReason : 'rate_limited'
  return { ...decision, denialReason, rateUse }
}

/** A denial that names nobody. */
export function denied(denialReason: DenialReason): Decision {
  return {
    heldId: null,
    sessionId: null,
    denialReason,
    principal: null,
    rateLimit: null,
    rateUse: null,
    cacheTtlMs: 0,
    dependsOn: [],
    revision: 0,
  }
}

function endedReason(held: HeldCredential, now: Date): DenialReason | null {
  if (held.isRevoked) return 'revoked_credential'
  if (now >= held.expiresAt) return 'expired_credential'
  if (held.isDisabled) return 'disabled_credential'
  return held.isUserEnded ? 'disabled_user' : null
}

function refusedReason(
  held: HeldCredential,
  principal: Principal,
  { requiredScopes }: Demand,
): DenialReason | null {
  if (!held.isAddressAllowed) return 'address_not_allowed'
  const isMissing = requiredScopes.some((scope) => !principal.scopes.includes(scope))
  return isMissing ? 'insufficient_scope' : null
}

/** A key in the query string ends in logs and histories: there it may read at most. */
function principalOf(held: HeldCredential, source: CredentialSource): Principal {
  const { id, kind, email, name, roles, attributes, expiresAt } = held
  const scopes = held.scopes.filter((scope) => source === 'header' || scope === 'read')
  return { id, kind, email, name, roles, attributes, scopes, expiresAt }
}
