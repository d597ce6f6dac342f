import type { Queryable } from '@olytix/postgres'
import { type AuditEvent, NO_QUESTION } from './audit-event.js'
import { insertEvents } from './audit.queries.js'

/** A change of what decides about answers. */
export type ChangeEvent = Pick<AuditEvent, 'type' | 'at' | 'caller' | 'subject' | 'cube' | 'data'>

/**
 * Writes the events of changes in the transaction that makes them: neither is there without the other. No setting
 * switches them off.
 */
export async function recordChanges(
  transaction: Queryable,
  changes: readonly ChangeEvent[],
): Promise<void> {
  const events = changes.map((change) => ({ ...NO_QUESTION, ...change }))
  if (events.length > 0) await insertEvents(transaction, events)
}
