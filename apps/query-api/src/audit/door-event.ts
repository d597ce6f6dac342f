import type { Refusal } from '@olytix/auth-guards'
import { type AuditEvent, NO_QUESTION } from './audit-event.js'

/** A principal was refused at the door of a route, whatever they wanted there: they lack its scope. */
export function doorEvent(refusal: Refusal, at: Date): AuditEvent {
  const { principal, requestId, clientIp, resource, reason } = refusal
  return {
    ...NO_QUESTION,
    type: 'access_denied',
    at,
    caller: { principal, requestId, clientIp },
    denialReason: reason,
    data: { resource },
  }
}
