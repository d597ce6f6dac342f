import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { NotedKey, UsageSpan } from './key-uses.service.js'

/**
 * Adds to the usage of keys and moves their last use forward, never back. Locks in the order of ids, so that two
 * processes cannot deadlock. What is noted of keys that do not exist is dropped.
 */
export async function addUses(database: Queryable, noted: readonly NotedKey[]): Promise<void> {
  const lasts = noted.flatMap(({ keyId, last }) => (last ? [{ keyId, ...last }] : []))
  const counts = noted.flatMap(({ keyId, counts }) =>
    [...counts.values()].map((count) => ({ keyId, ...count })),
  )
  await database.execute(sql`
    with used as (
      select keys.id, use.used_at, use.client_ip
      from unnest(
        ${lasts.map(({ keyId }) => keyId)}::text[],
        ${lasts.map(({ at }) => at)}::timestamptz[],
        ${lasts.map(({ clientIp }) => clientIp)}::inet[]
      ) as use (key_id, used_at, client_ip)
      join keys on keys.id = use.key_id
      where keys.last_used_at is null or keys.last_used_at < use.used_at
      order by keys.id
      for no key update of keys
    ), moved as (
      update keys
      set last_used_at = used.used_at, last_client_ip = used.client_ip
      from used
      where keys.id = used.id
    )
    insert into key_usage (key_id, hour, outcome, requests)
    select use.key_id, use.hour, use.outcome, use.requests
    from unnest(
      ${counts.map(({ keyId }) => keyId)}::text[],
      ${counts.map(({ hour }) => hour)}::timestamptz[],
      ${counts.map(({ outcome }) => outcome)}::text[],
      ${counts.map(({ requests }) => requests)}::bigint[]
    ) as use (key_id, hour, outcome, requests)
    where exists (select from keys where keys.id = use.key_id)
    order by use.key_id, use.hour, use.outcome
    on conflict (key_id, hour, outcome) do update
      set requests = key_usage.requests + excluded.requests`)
}

const usageRow = z
  .object({ start: z.date(), requests: z.record(z.string(), z.number()) })
  .transform(({ start, requests }) => ({ start, requestsByOutcome: requests }))

/** One hour or day in which there were requests. */
export type UsageRow = z.output<typeof usageRow>

const LARGEST_COUNT = 4_294_967_295

export function listUsage(
  database: Queryable,
  keyId: string,
  { from, to, unit }: UsageSpan,
): Promise<UsageRow[]> {
  return database.many(
    usageRow,
    sql`
      select start, json_object_agg(outcome, requests) as requests
      from (
        select date_trunc(${unit}, hour, 'UTC') as start, outcome,
          least(sum(requests), ${LARGEST_COUNT}::numeric) as requests
        from key_usage
        where key_id = ${keyId} and hour >= ${from} and hour < ${to}
        group by start, outcome
      ) as counted
      group by start
      order by start`,
  )
}

export function findLastClientIp(
  database: Queryable,
  keyId: string,
): Promise<{ last_client_ip: string | null } | undefined> {
  return database.maybeOne(
    z.object({ last_client_ip: z.string().nullable() }),
    sql`select host(last_client_ip) as last_client_ip from keys where id = ${keyId}`,
  )
}

/** Deletes up to `limit` hours of usage before a moment; passes over what another process is at. @returns how many */
export function deleteUsageBefore(
  database: Queryable,
  before: Date,
  limit: number,
): Promise<number> {
  return database.execute(sql`
    delete from key_usage
    where ctid = any (array(
      select ctid from key_usage where hour < ${before} limit ${limit} for update skip locked
    ))`)
}
