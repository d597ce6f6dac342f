import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { PastEvent } from './audit.service.js'

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

/** Writes events in their order. The database numbers them and ties each to the one before. */
export async function insertEvents(
  transaction: Queryable,
  events: readonly (PastEvent & { readonly revision: number | null })[],
): Promise<void> {
  const rows = events.map(({ origin, ...event }) => ({
    event_type: event.type,
    timestamp: event.timestamp,
    request_id: origin.requestId,
    user_id: origin.principal?.id ?? null,
    user_email: origin.principal?.email ?? null,
    user_roles: origin.principal?.roles ?? [],
    client_ip: origin.clientIp,
    subject_kind: event.subjectKind,
    subject_id: event.subjectId,
    access_granted: event.denialReason === undefined,
    denial_reason: event.denialReason ?? null,
    revision: event.revision,
    additional_data: event.data ?? {},
  }))
  await transaction.execute(sql`
    insert into audit_events (
      event_type, timestamp, request_id, user_id, user_email, user_roles, client_ip,
      subject_kind, subject_id, access_granted, denial_reason, revision, additional_data
    )
    select
      event_type, timestamp, request_id, user_id, user_email, user_roles, client_ip,
      subject_kind, subject_id, access_granted, denial_reason, revision, additional_data
    from rows from (
      jsonb_to_recordset(${JSON.stringify(rows)}) as (
        event_type text, timestamp timestamptz, request_id text, user_id text, user_email text,
        user_roles text[], client_ip inet, subject_kind text, subject_id text,
        access_granted boolean, denial_reason text, revision integer, additional_data jsonb
      )
    ) with ordinality
    order by ordinality`)
}
