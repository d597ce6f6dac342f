import type { Refusal } from '@olytix/auth-guards'
import type { AuditEvent } from './audit-event.js'

/** A principal was refused at the door of a route, whatever they wanted there: they lack its scope. */
export function doorEvent(refusal: Refusal, at: Date): AuditEvent {
  const { principal, requestId, clientIp, resource, reason } = refusal
  return {
    type: 'access_denied',
    at,
    caller: { principal, requestId, clientIp },
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
    denialReason: reason,
    data: { resource },
  }
}
