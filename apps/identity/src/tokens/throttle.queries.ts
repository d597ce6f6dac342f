import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { Failures, ThrottleKind } from './throttle.js'

/** What is counted, by its hash. */
export interface ThrottleSubject {
  readonly kind: ThrottleKind
  readonly subjectHash: Buffer
}

const failuresRow = z
  .object({ kind: z.enum(['account', 'network']), failures: z.int(), last_failed_at: z.date() })
  .transform(({ kind, failures, last_failed_at: lastFailedAt }): Failures => ({
    kind,
    failures,
    lastFailedAt,
  }))

export function findFailures(
  database: Queryable,
  subjects: readonly ThrottleSubject[],
): Promise<Failures[]> {
  return database.many(
    failuresRow,
    sql`
      select kind, failures, last_failed_at
      from login_throttles
      where subject_hash = any (${subjects.map(({ subjectHash }) => subjectHash)}::bytea[])`,
  )
}

/** Counts one failure each, from one on again if the last was before `since`. In the order of hashes: no deadlocks. */
export async function countFailure(
  database: Queryable,
  subjects: readonly ThrottleSubject[],
  { now, since }: { readonly now: Date; readonly since: Date },
): Promise<void> {
  await database.execute(sql`
    insert into login_throttles (subject_hash, kind, failures, last_failed_at)
    select subject_hash, kind, 1, ${now}::timestamptz
    from unnest(
      ${subjects.map(({ subjectHash }) => subjectHash)}::bytea[],
      ${subjects.map(({ kind }) => kind)}::text[]
    ) as subject (subject_hash, kind)
    order by subject_hash
    on conflict (subject_hash) do update
    set last_failed_at = excluded.last_failed_at,
      failures = case
        when login_throttles.last_failed_at <= ${since} then 1
        else login_throttles.failures + 1
      end`)
}

export async function forgetFailures(database: Queryable, subjectHash: Buffer): Promise<void> {
  await database.execute(sql`delete from login_throttles where subject_hash = ${subjectHash}`)
}

/** @returns how many of at most `limit` it deleted */
export function deleteOldFailures(
  database: Queryable,
  { since, limit }: { readonly since: Date; readonly limit: number },
): Promise<number> {
  return database.execute(sql`
    delete from login_throttles
    where subject_hash in (
      select subject_hash
      from login_throttles
      where last_failed_at <= ${since}
      limit ${limit}
      for update skip locked
    )`)
}
