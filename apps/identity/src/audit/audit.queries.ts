import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { AuditEvent } from './audit.service.js'
import type { Origin } from './origin.js'

/** Raises the revision; its row stays locked until the transaction ends. @returns the new revision */
export async function raiseRevision(transaction: Queryable): Promise<number> {
  const row = await transaction.maybeOne(
    z.object({ value: z.int() }),
    sql`update revisions set value = value + 1 returning value`,
  )
  if (!row) throw new Error('the table revisions has lost its row')
  return row.value
}

export async function insertEvent(
  transaction: Queryable,
  event: AuditEvent & { readonly timestamp: Date; readonly revision: number | null },
  { principal, requestId, clientIp }: Origin,
): Promise<void> {
  await transaction.execute(sql`
    insert into audit_events (
      event_type, timestamp, request_id, user_id, user_email, user_roles, client_ip,
      subject_kind, subject_id, revision, additional_data
    )
    values (
      ${event.type}, ${event.timestamp}, ${requestId}, ${principal?.id ?? null},
      ${principal?.email ?? null}, ${principal?.roles ?? []}, ${clientIp},
      ${event.subjectKind}, ${event.subjectId}, ${event.revision},
      ${JSON.stringify(event.data ?? {})}
    )`)
}
