import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

const dueRow = z.object({
  id: z.string(),
  name: z.string(),
  expires_at: z.date(),
  reminded_days: z.int(),
})

/**
 * Marks keys whose end has come within the next notice. A key that another replica is marking is left to it. Keys that
 * are replaced, disabled or revoked need no reminder.
 */
export function markReminded(
  transaction: Queryable,
  now: Date,
  limit: number,
): Promise<z.output<typeof dueRow>[]> {
  return transaction.many(
    dueRow,
    sql`
      with due as (
        select keys.id, notice.days
        from keys
        cross join lateral (
          select min(days) as days
          from unnest(array[30, 7, 1]) as days
          where keys.expires_at <= ${now}::timestamptz + days * interval '1 day'
            and keys.expires_at > keys.created_at + days * interval '1 day'
        ) as notice
        where keys.revoked_at is null
          and keys.disabled_at is null
          and keys.rotated_out_at is null
          and keys.expires_at > ${now}
          and keys.expires_at <= ${now}::timestamptz + interval '30 days'
          and notice.days < coalesce(keys.reminded_days, 31)
        order by keys.id
        limit ${limit}
        for no key update of keys skip locked
      )
      update keys
      set reminded_days = due.days
      from due
      where keys.id = due.id
      returning keys.id, keys.name, keys.expires_at, keys.reminded_days`,
  )
}
