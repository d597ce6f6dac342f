import type { Principal } from '@olytix/auth-guards'

export const AUDIT_EVENT_TYPES = [
  'data_access',
  'access_denied',
  'policy_evaluated',
  'masking_applied',
  'policy_created',
  'policy_updated',
  'policy_deleted',
  'definition_changed',
  'model_run',
] as const

/**
 * Rows were asked for and given · refused · policies were applied but nothing was read · what was given was masked ·
 * what decides about answers was changed · models were run.
 */
export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number]

/** Who makes a request, and which. */
export interface Caller {
  readonly principal: Principal
  readonly requestId: string
  /** Canonical. */
  readonly clientIp: string
}

/** A question or a change as the trail keeps it. Of a question names only, never a value that was filtered by. */
export interface AuditEvent {
  readonly type: AuditEventType
  readonly at: Date
  /** `undefined`: whoever runs the service, by its project folder. */
  readonly caller: Caller | undefined
  /** What was changed, by its name; null for questions. */
  readonly subject: string | null
  /** The cube whose rows are counted or measured first. */
  readonly cube: string | null
  readonly measures: readonly string[]
  readonly dimensions: readonly string[]
  readonly policies: readonly string[]
  /** The filters of those policies as they are written: without values of the principal. */
  readonly predicates: readonly string[]
  readonly maskingPolicies: readonly string[]
  /** `cube.member` of what was asked for and masked. */
  readonly maskedMembers: readonly string[]
  readonly policyEvaluationMs: number | null
  readonly rows: number | null
  readonly denialReason: string | null
  readonly data: Readonly<Record<string, unknown>>
}

/** What an event has that is about no question. */
export const NO_QUESTION = {
  subject: null,
  cube: null,
  measures: [],
  dimensions: [],
  policies: [],
  predicates: [],
  maskingPolicies: [],
  maskedMembers: [],
  policyEvaluationMs: null,
  rows: null,
  denialReason: null,
  data: {},
} as const satisfies Partial<AuditEvent>
