import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { RateWindow } from './rate-limits.service.js'

const windowRow = z.object({
  key_id: z.string(),
  started_at: z.date(),
  ends_at: z.date(),
  used: z.coerce.number(),
})

/** The window of a key that all replicas share. */
export type WindowRow = z.output<typeof windowRow>

/** The shared windows of these keys, where they are the same as here. */
export function listWindows(
  database: Queryable,
  windows: readonly RateWindow[],
): Promise<WindowRow[]> {
  return database.many(
    windowRow,
    sql`
      select shared.key_id, shared.started_at, shared.ends_at, shared.used
      from unnest(
        ${windows.map(({ keyId }) => keyId)}::text[],
        ${windows.map(({ startedAtMs }) => new Date(startedAtMs))}::timestamptz[]
      ) as known (key_id, started_at)
      join key_rate_windows as shared using (key_id, started_at)`,
  )
}

/**
 * Adds what passed here to the windows that all replicas share. A window that was opened after the shared one has
 * ended, or after the limit got another length, takes its place. Locks in the order of ids.
 * @returns the shared windows
 */
export function addToWindows(
  database: Queryable,
  windows: readonly RateWindow[],
): Promise<WindowRow[]> {
  return database.many(
    windowRow,
    sql`
      insert into key_rate_windows as shared (key_id, started_at, ends_at, used)
      select key_id, started_at, ends_at, used
      from unnest(
        ${windows.map(({ keyId }) => keyId)}::text[],
        ${windows.map(({ startedAtMs }) => new Date(startedAtMs))}::timestamptz[],
        ${windows.map(({ endsAtMs }) => new Date(endsAtMs))}::timestamptz[],
        ${windows.map(({ own, told }) => own - told)}::bigint[]
      ) as told (key_id, started_at, ends_at, used)
      where exists (select from keys where keys.id = told.key_id)
      order by key_id
      on conflict (key_id) do update
      set (started_at, ends_at, used) = (
        select
          case when is_over then excluded.started_at else shared.started_at end,
          case when is_over then excluded.ends_at else shared.ends_at end,
          case when is_over then excluded.used else shared.used + excluded.used end
        from (
          select shared.ends_at <= excluded.started_at
            or (
              shared.started_at <= excluded.started_at
              and shared.ends_at - shared.started_at <> excluded.ends_at - excluded.started_at
            ) as is_over
        ) as judged
      )
      returning key_id, started_at, ends_at, used`,
  )
}
