import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

const eventRow = z.object({
  id: z.coerce.number(),
  event_type: z.string(),
  timestamp: z.date(),
  request_id: z.string().nullable(),
  user_id: z.string().nullable(),
  user_email: z.string().nullable(),
  user_roles: z.array(z.string()),
  client_ip: z.string().nullable(),
  subject_id: z.string(),
  access_granted: z.boolean(),
  denial_reason: z.string().nullable(),
  additional_data: z.record(z.string(), z.unknown()),
})

/** An event as lists show it. */
export type EventRow = z.output<typeof eventRow>

/** Which events; `null` leaves the choice open. */
export interface EventFilter {
  readonly type: string | null
  /** On this, or by this. */
  readonly subject: string | null
  readonly from: Date | null
  readonly to: Date | null
}

/** Newest first, from the event before `beforeId` on. */
export function listEvents(
  database: Queryable,
  { type, subject, from, to }: EventFilter,
  page: { readonly beforeId: number | null; readonly limit: number },
): Promise<EventRow[]> {
  return database.many(
    eventRow,
    sql`
      select id, event_type, timestamp, request_id, user_id, user_email, user_roles,
        abbrev(client_ip) as client_ip, subject_id, access_granted, denial_reason, additional_data
      from audit_events
      where (${type}::text is null or event_type = ${type})
        and (${subject}::text is null or subject_id = ${subject} or user_id = ${subject})
        and (${from}::timestamptz is null or timestamp >= ${from})
        and (${to}::timestamptz is null or timestamp < ${to})
        and (${page.beforeId}::bigint is null or id < ${page.beforeId})
      order by id desc
      limit ${page.limit}`,
  )
}

const headRow = z.object({ events: z.coerce.number(), events_hash: z.instanceof(Buffer) })

/** Number and hash of the last event. */
export async function findHead(database: Queryable): Promise<z.output<typeof headRow>> {
  const row = await database.maybeOne(headRow, sql`select events, events_hash from revisions`)
  if (!row) throw new Error('the table revisions has lost its row')
  return row
}

const linksRow = z.object({
  checked: z.int(),
  first_broken: z.coerce.number().nullable(),
  last_hash: z.instanceof(Buffer).nullable(),
})

/**
 * Checks the links that follow an event: each must have the next number, and the hash of what it says.
 * @returns how many there were, and the number of the first that does not fit: also that of one which is missing
 */
export async function checkLinks(
  database: Queryable,
  after: { readonly id: number; readonly hash: Buffer },
  to: { readonly id: number; readonly limit: number },
): Promise<z.output<typeof linksRow>> {
  const row = await database.maybeOne(
    linksRow,
    sql`
      with batch as (
        select event
        from audit_events as event
        where id > ${after.id} and id <= ${to.id}
        order by id
        limit ${to.limit}
      ), link as (
        select event, ${after.id}::bigint + row_number() over following as position,
          lag((event).hash, 1, ${after.hash}) over following as previous
        from batch
        window following as (order by (event).id)
      )
      select count(*)::int as checked,
        min(position) filter (
          where (event).id <> position or (event).hash <> audit_event_hash(previous, event)
        ) as first_broken,
        (array_agg((event).hash order by position desc))[1] as last_hash
      from link`,
  )
  if (!row) throw new Error('an aggregate without a row')
  return row
}
