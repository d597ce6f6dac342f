import {
  AuthorizeResponse,
  type AttributeValue as WireAttribute,
  Decision,
  DenialReason,
  PrincipalKind,
} from '@olytix/proto'
import type { Verdict } from './authorizer.js'
import type { AttributeValue, Principal, Scope } from './principal.js'

/** What identity answers: a verdict, and whether its principal may be used again. */
export interface Answer {
  readonly verdict: Verdict
  readonly reuse: Reuse
}

/** For how long, and until what happens, the principal of an answer may be used again for the same credential. */
export interface Reuse {
  /** In milliseconds, from when the question was put. 0 forbids it. */
  readonly ttlMs: number
  /** Ids whose change ends it. */
  readonly dependsOn: readonly string[]
  /** Revision of identity's state that the answer is made from. */
  readonly revision: number
  /** Size of the answer, about. */
  readonly bytes: number
}

const REFUSED: ReadonlySet<DenialReason> = new Set([
  DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE,
  DenialReason.DENIAL_REASON_ADDRESS_NOT_ALLOWED,
])

const KINDS: Readonly<Partial<Record<PrincipalKind, Principal['kind']>>> = {
  [PrincipalKind.PRINCIPAL_KIND_USER]: 'user',
  [PrincipalKind.PRINCIPAL_KIND_API_KEY]: 'api_key',
}

/** @throws Error for an answer that makes no sense: then nothing has been decided */
export function toAnswer(response: AuthorizeResponse): Answer {
  const { cacheTtlMs: ttlMs, dependsOn, revision } = response
  const bytes = AuthorizeResponse.encode(response).finish().length
  return { verdict: toVerdict(response), reuse: { ttlMs, dependsOn, revision, bytes } }
}

function toVerdict(response: AuthorizeResponse): Verdict {
  const { decision, denialReason } = response
  if (decision === Decision.DECISION_ALLOW) {
    return { decision: 'allow', principal: toPrincipal(response) }
  }
  if (decision !== Decision.DECISION_DENY) throw new Error(`decision ${decision}`)
  const reason = denialReason.replace(/^DENIAL_REASON_/, '').toLowerCase()
  if (denialReason === DenialReason.DENIAL_REASON_RATE_LIMITED) {
    const { rateLimit, rateLimitUse } = response
    const limit = rateLimit && rateLimitUse && { ...rateLimit, ...rateLimitUse }
    return { decision: 'rate_limited', reason, limit: limit ?? null }
  }
  return REFUSED.has(denialReason)
    ? { decision: 'refused', reason, principal: response.principal ? toPrincipal(response) : null }
    : { decision: 'unidentified', reason }
}

const SCOPES: readonly Scope[] = ['read', 'write', 'admin']

/** @throws Error for an "allow" that names nobody: an empty principal must never pass. */
function toPrincipal(response: AuthorizeResponse): Principal {
  const { principal, rlsContext: context, expiresAt } = response
  const kind = principal && KINDS[principal.kind]
  if (!principal?.id || !kind || !context) throw new Error('an answer without a principal')
  const attributes = Object.entries(context.attributes).map(
    ([name, value]) => [name, toAttribute(value)] as const,
  )
  return Object.freeze({
    id: principal.id,
    kind,
    email: principal.email || null,
    name: principal.name,
    roles: Object.freeze([...response.roles]),
    scopes: Object.freeze(SCOPES.filter((scope) => response.scopes.includes(scope))),
    attributes: Object.freeze(Object.fromEntries(attributes)),
    // A Date cannot be frozen: whoever asks gets one of their own.
    get expiresAt() {
      return expiresAt ? new Date(expiresAt) : null
    },
  })
}

function toAttribute(value: WireAttribute): AttributeValue {
  if (value.listValue) return Object.freeze(value.listValue.values.map(toScalar))
  return toScalar(value)
}

function toScalar(value: WireAttribute): string | number | boolean {
  const scalar = value.stringValue ?? value.numberValue ?? value.booleanValue
  if (scalar === undefined) throw new Error('an attribute without a value')
  return scalar
}
