import {
  type AuthorizeResponse,
  Decision as WireDecision,
  DenialReason as WireReason,
  type Principal as WirePrincipal,
  PrincipalKind,
  type RlsContext,
} from '@olytix/proto'
import type { Principal } from '@olytix/auth-guards'
import { attributesToWire } from '../users/attributes.js'
import { DENIAL_REASONS, type Decision, type DenialReason } from './decide.js'

const REASONS: Readonly<Record<DenialReason, WireReason>> = {
  missing_credential: WireReason.DENIAL_REASON_MISSING_CREDENTIAL,
  malformed_credential: WireReason.DENIAL_REASON_MALFORMED_CREDENTIAL,
  unknown_credential: WireReason.DENIAL_REASON_UNKNOWN_CREDENTIAL,
  expired_credential: WireReason.DENIAL_REASON_EXPIRED_CREDENTIAL,
  revoked_credential: WireReason.DENIAL_REASON_REVOKED_CREDENTIAL,
  disabled_credential: WireReason.DENIAL_REASON_DISABLED_CREDENTIAL,
  disabled_user: WireReason.DENIAL_REASON_DISABLED_USER,
  source_not_allowed: WireReason.DENIAL_REASON_SOURCE_NOT_ALLOWED,
  address_not_allowed: WireReason.DENIAL_REASON_ADDRESS_NOT_ALLOWED,
  insufficient_scope: WireReason.DENIAL_REASON_INSUFFICIENT_SCOPE,
  rate_limited: WireReason.DENIAL_REASON_RATE_LIMITED,
}

/** The reason that the wire names so; `undefined` for one that this service does not know. */
export function reasonOf(wire: WireReason): DenialReason | undefined {
  return DENIAL_REASONS.find((reason) => REASONS[reason] === wire)
}

/** A decision as the wire carries it. */
export function toAuthorizeResponse(decision: Decision): AuthorizeResponse {
  const { principal, denialReason, cacheTtlMs, dependsOn, revision, rateLimit, rateUse } = decision
  return {
    ...(principal ? answerAbout(principal) : NOBODY),
    decision: denialReason === null ? WireDecision.DECISION_ALLOW : WireDecision.DECISION_DENY,
    denialReason:
      denialReason === null ? WireReason.DENIAL_REASON_UNSPECIFIED : REASONS[denialReason],
    cacheTtlMs,
    revision,
    rateLimit: rateLimit ?? undefined,
    rateLimitUse: rateUse
      ? { remaining: rateUse.remaining, resetAfterMs: rateUse.resetAfterMs }
      : undefined,
    dependsOn: [...dependsOn],
  }
}

type AboutPrincipal = Pick<
  AuthorizeResponse,
  'principal' | 'scopes' | 'roles' | 'rlsContext' | 'expiresAt'
>

const NOBODY: AboutPrincipal = {
  principal: undefined,
  scopes: [],
  roles: [],
  rlsContext: undefined,
  expiresAt: undefined,
}

function answerAbout(principal: Principal): AboutPrincipal {
  return {
    principal: toPrincipal(principal),
    scopes: [...principal.scopes],
    roles: [...principal.roles],
    rlsContext: toRlsContext(principal),
    expiresAt: principal.expiresAt ?? undefined,
  }
}

function toPrincipal({ id, kind, email, name }: Principal): WirePrincipal {
  return {
    id,
    kind:
      kind === 'user' ? PrincipalKind.PRINCIPAL_KIND_USER : PrincipalKind.PRINCIPAL_KIND_API_KEY,
    email: email ?? '',
    name,
  }
}

function toRlsContext({ id, email, roles, attributes }: Principal): RlsContext {
  return {
    userId: id,
    email: email ?? '',
    roles: [...roles],
    attributes: attributesToWire(attributes),
  }
}
