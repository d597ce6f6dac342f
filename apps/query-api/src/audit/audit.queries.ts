import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { AuditEvent } from './audit-event.js'

/** Writes events in their order: all or none. */
export async function insertEvents(
  database: Queryable,
  events: readonly AuditEvent[],
): Promise<void> {
  const rows = events.map(({ caller, ...event }) => ({
    event_type: event.type,
    timestamp: event.at,
    ...columnsOf(caller),
    subject: event.subject,
    cube_name: event.cube,
    measures_requested: event.measures,
    dimensions_requested: event.dimensions,
    rls_policies_applied: event.policies,
    masking_policies_applied: event.maskingPolicies,
    rls_predicates: event.predicates,
    columns_masked: event.maskedMembers,
    policy_evaluation_ms: event.policyEvaluationMs,
    rows_returned: event.rows,
    access_granted: event.denialReason === null,
    denial_reason: event.denialReason,
    additional_data: event.data,
  }))
  await database.execute(sql`
    insert into audit_events (
      event_type, timestamp, request_id, user_id, user_email, user_roles, client_ip, subject, cube_name,
      measures_requested, dimensions_requested, rls_policies_applied, masking_policies_applied,
      rls_predicates, columns_masked, policy_evaluation_ms, rows_returned, access_granted, denial_reason,
      additional_data
    )
    select
      event_type, timestamp, request_id, user_id, user_email, user_roles, client_ip, subject, cube_name,
      measures_requested, dimensions_requested, rls_policies_applied, masking_policies_applied,
      rls_predicates, columns_masked, policy_evaluation_ms, rows_returned, access_granted, denial_reason,
      additional_data
    from rows from (
      jsonb_to_recordset(${JSON.stringify(rows)}) as (
        event_type text, timestamp timestamptz, request_id text, user_id text, user_email text,
        user_roles text[], client_ip inet, subject text, cube_name text, measures_requested text[],
        dimensions_requested text[], rls_policies_applied text[],
        masking_policies_applied text[], rls_predicates text[], columns_masked text[],
        policy_evaluation_ms double precision, rows_returned bigint, access_granted boolean,
        denial_reason text, additional_data jsonb
      )
    ) with ordinality
    order by ordinality`)
}

function columnsOf(caller: AuditEvent['caller']) {
  if (!caller) return { user_roles: [] }
  const { principal, requestId, clientIp } = caller
  return {
    request_id: requestId,
    user_id: principal.id,
    user_email: principal.email,
    user_roles: principal.roles,
    client_ip: clientIp,
  }
}

const names = z.array(z.string())

const eventRow = z.object({
  id: z.string(),
  event_type: z.string(),
  timestamp: z.date(),
  request_id: z.string().nullable(),
  user_id: z.string().nullable(),
  user_email: z.string().nullable(),
  user_roles: names,
  client_ip: z.string().nullable(),
  cube_name: z.string().nullable(),
  measures_requested: names,
  dimensions_requested: names,
  rls_policies_applied: names,
  masking_policies_applied: names,
  rls_predicates: names,
  columns_masked: names,
  policy_evaluation_ms: z.number().nullable(),
  rows_returned: z.coerce.number().nullable(),
  access_granted: z.boolean(),
  denial_reason: z.string().nullable(),
  additional_data: z.record(z.string(), z.unknown()),
})

/** An event as lists show it; its names are the documentation's. */
export type EventRow = z.output<typeof eventRow>

/** Which events; `undefined` leaves the choice open. */
export interface EventFilter {
  readonly type?: string | undefined
  /** A principal's id or e-mail, a cube, or what was changed. */
  readonly subject?: string | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

/** Newest first, from the event before `beforeId` on. */
export function listEvents(
  database: Queryable,
  filter: EventFilter,
  page: { readonly beforeId: string | null; readonly limit: number },
): Promise<EventRow[]> {
  const type = filter.type ?? null
  const subject = filter.subject ?? null
  const from = filter.from ?? null
  const to = filter.to ?? null
  return database.many(
    eventRow,
    sql`
      select id::text, event_type, timestamp, request_id, user_id, user_email, user_roles,
        abbrev(client_ip) as client_ip, cube_name, measures_requested, dimensions_requested,
        rls_policies_applied, masking_policies_applied, rls_predicates, columns_masked,
        policy_evaluation_ms, rows_returned, access_granted, denial_reason, additional_data
      from audit_events
      where (${page.beforeId}::bigint is null or id < ${page.beforeId})
        and (${type}::text is null or event_type = ${type})
        and (${subject}::text is null or ${subject} in (user_id, user_email, subject, cube_name))
        and (${from}::timestamptz is null or timestamp >= ${from})
        and (${to}::timestamptz is null or timestamp < ${to})
      order by audit_events.id desc
      limit ${page.limit}`,
  )
}

/** Removes the oldest events from before a moment. @returns how many */
export async function pruneEvents(
  database: Queryable,
  olderThan: Date,
  atMost: number,
): Promise<number> {
  const row = await database.maybeOne(
    z.object({ pruned: z.number() }),
    sql`select prune_audit_events(${olderThan}, ${atMost}) as pruned`,
  )
  return row?.pruned ?? 0
}
