import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { AuditEvent } from './audit.service.js'
import type { Origin } from './origin.js'

/** Raises the revision; its row stays locked until the transaction ends. @returns the new revision */
export async function raiseRevision(transaction: Queryable, by: number): Promise<number> {
  const row = await transaction.maybeOne(
    z.object({ value: z.int() }),
    sql`update revisions set value = value + ${by} returning value`,
  )
  if (!row) throw new Error('the table revisions has lost its row')
  return row.value
}

export async function readRevision(database: Queryable): Promise<number> {
  const row = await database.maybeOne(
    z.object({ value: z.int() }),
    sql`select value from revisions`.preparedAs('read_revision'),
  )
  if (!row) throw new Error('the table revisions has lost its row')
  return row.value
}

const changesRow = z.object({
  revision: z.int(),
  changes: z.array(
    z.object({
      kind: z.enum(['key', 'user', 'role', 'session', 'signing_key']),
      id: z.string(),
    }),
  ),
})

/** At most `limit` changes after a revision, and the revision of the same moment. */
export async function listChanges(
  database: Queryable,
  since: number,
  limit: number,
): Promise<z.output<typeof changesRow>> {
  const row = await database.maybeOne(
    changesRow,
    sql`
      select value as revision, coalesce(
        (
          select json_agg(
            json_build_object('kind', subject_kind, 'id', subject_id) order by revision
          )
          from (
            select revision, subject_kind, subject_id
            from audit_events
            where revision > ${since}
            order by revision
            limit ${limit}
          ) as changed
        ), '[]'
      ) as changes
      from revisions`,
  )
  if (!row) throw new Error('the table revisions has lost its row')
  return row
}

export async function insertEvent(
  transaction: Queryable,
  event: AuditEvent & { readonly timestamp: Date; readonly revision: number | null },
  { principal, requestId, clientIp }: Origin,
): Promise<void> {
  await transaction.execute(sql`
    insert into audit_events (
      event_type, timestamp, request_id, user_id, user_email, user_roles, client_ip,
      subject_kind, subject_id, access_granted, denial_reason, revision, additional_data
    )
    values (
      ${event.type}, ${event.timestamp}, ${requestId}, ${principal?.id ?? null},
      ${principal?.email ?? null}, ${principal?.roles ?? []}, ${clientIp},
      ${event.subjectKind}, ${event.subjectId}, ${event.denialReason === undefined},
      ${event.denialReason ?? null}, ${event.revision},
      ${JSON.stringify(event.data ?? {})}
    )`)
}
