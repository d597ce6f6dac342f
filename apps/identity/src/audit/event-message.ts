import type { AuditEvent } from '@olytix/proto'
import type { EventRow } from './events.queries.js'

const ID = /^evt_(\d{12,15})$/

/** `evt_000000000042` for the forty-second event: ids sort as the events do. */
export function eventId(position: number): string {
  return `evt_${String(position).padStart(12, '0')}`
}

/** @returns `undefined` for what is no id of an event */
export function eventPosition(id: string): number | undefined {
  const [, digits] = ID.exec(id) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** An event as the wire carries it. */
export function toEventMessage(row: EventRow): AuditEvent {
  return {
    id: eventId(row.id),
    eventType: row.event_type,
    timestamp: row.timestamp,
    requestId: row.request_id ?? '',
    userId: row.user_id ?? '',
    userEmail: row.user_email ?? '',
    userRoles: row.user_roles,
    clientIp: row.client_ip ?? '',
    subject: row.subject_id,
    accessGranted: row.access_granted,
    denialReason: row.denial_reason ?? '',
    additionalData: row.additional_data,
  }
}
