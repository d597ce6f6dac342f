import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import { type Attributes, storedAttributes } from '../users/attributes.js'

const scopes = z.array(z.enum(['read', 'write', 'admin']))

const keyRow = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  hint: z.string(),
  owner_id: z.string(),
  created_by: z.string(),
  scopes,
  roles: z.array(z.string()),
  attributes: storedAttributes,
  allowed_ips: z.array(z.string()),
  rate_limit_requests: z.int().nullable(),
  rate_limit_per_seconds: z.int().nullable(),
  created_at: z.date(),
  expires_at: z.date(),
  last_used_at: z.date().nullable(),
  disabled_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
  rotated_from: z.string().nullable(),
  rotated_to: z.string().nullable(),
})

/** A key as lists show it. */
export type KeyRow = z.output<typeof keyRow>

const keyColumns = sql`
  keys.id, keys.name, keys.description, keys.hint, keys.owner_id,
  coalesce(keys.ancestor_ids[1], keys.owner_id) as created_by,
  keys.scopes,
  array(
    select role_name from key_roles where key_roles.key_id = keys.id order by role_name
  ) as roles,
  keys.attributes, keys.allowed_ips::text[] as allowed_ips,
  keys.rate_limit_requests, keys.rate_limit_per_seconds,
  keys.created_at, least(keys.expires_at, keys.rotated_out_at) as expires_at, keys.last_used_at,
  keys.disabled_at, keys.revoked_at, keys.rotated_from,
  (select next.id from keys as next where next.rotated_from = keys.id) as rotated_to`

const heldKeyRow = keyRow
  .omit({
    description: true,
    hint: true,
    created_by: true,
    created_at: true,
    last_used_at: true,
    rotated_from: true,
    rotated_to: true,
  })
  .extend({
    owner_roles: z.array(z.string()),
    owner_scopes: scopes,
    ancestor_ids: z.array(z.string()),
    ancestor_scopes: z.array(scopes),
    owner_ended: z.boolean(),
    revision: z.int(),
  })

/** A key with all that a decision needs, as of one moment. */
export type HeldKeyRow = z.output<typeof heldKeyRow>

/** The one statement of the hot path. `owner_ended`: the owner is disabled or deleted. */
export function findHeldKey(
  database: Queryable,
  secretHash: Buffer,
): Promise<HeldKeyRow | undefined> {
  return database.maybeOne(
    heldKeyRow,
    sql`
      select
        keys.id, keys.owner_id, keys.ancestor_ids, keys.name, keys.scopes,
        array(
          select role_name from key_roles where key_roles.key_id = keys.id order by role_name
        ) as roles,
        keys.attributes, keys.allowed_ips::text[] as allowed_ips,
        keys.rate_limit_requests, keys.rate_limit_per_seconds,
        least(keys.expires_at, keys.rotated_out_at) as expires_at,
        keys.disabled_at, keys.revoked_at,
        case
          when keys.ancestor_ids = '{}' then '[]'
          else (
            select coalesce(json_agg(ancestor.scopes), '[]')
            from keys as ancestor
            where ancestor.id = any (keys.ancestor_ids)
          )
        end as ancestor_scopes,
        array(
          select role_name from user_roles where user_roles.user_id = keys.owner_id
        ) as owner_roles,
        array(
          select distinct scope
          from user_roles
          join roles on roles.name = user_roles.role_name
          cross join unnest(roles.scopes) as scope
          where user_roles.user_id = keys.owner_id
        ) as owner_scopes,
        coalesce(users.disabled_at, users.deleted_at) is not null as owner_ended,
        (select value from revisions) as revision
      from keys
      join users on users.id = keys.owner_id
      where keys.secret_hash = ${secretHash}`.preparedAs('find_held_key'),
  )
}

export function findKey(database: Queryable, id: string): Promise<KeyRow | undefined> {
  return database.maybeOne(keyRow, sql`select ${keyColumns} from keys where keys.id = ${id}`)
}

/** Newest first, from the key before `beforeId` on. */
export function listKeys(
  database: Queryable,
  page: { readonly beforeId: string | null; readonly limit: number },
): Promise<KeyRow[]> {
  return database.many(
    keyRow,
    sql`
      select ${keyColumns}
      from keys
      where ${page.beforeId}::text is null or keys.id < ${page.beforeId}
      order by keys.id desc
      limit ${page.limit}`,
  )
}

/** From whom a key descends: itself included, nearest first. Empty for a user. */
export function findLineage(
  database: Queryable,
  keyId: string,
): Promise<{ owner_id: string; ancestor_ids: string[] } | undefined> {
  return database.maybeOne(
    z.object({ owner_id: z.string(), ancestor_ids: z.array(z.string()) }),
    sql`select owner_id, id || ancestor_ids as ancestor_ids from keys where id = ${keyId}`,
  )
}

export interface NewKeyRow {
  readonly id: string
  readonly ownerId: string
  readonly ancestorIds: readonly string[]
  readonly name: string
  readonly description: string
  readonly hint: string
  readonly secretHash: Buffer
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly attributes: Attributes
  readonly allowedIps: readonly string[]
  readonly rateLimit: { readonly requests: number; readonly perSeconds: number } | null
  readonly createdAt: Date
  readonly expiresAt: Date
  /** The key that it replaces. */
  readonly rotatedFrom: string | null
}

export async function insertKey(transaction: Queryable, key: NewKeyRow): Promise<void> {
  await transaction.execute(sql`
    with new_key as (
      insert into keys (
        id, owner_id, ancestor_ids, name, description, hint, secret_hash, scopes, attributes,
        allowed_ips, rate_limit_requests, rate_limit_per_seconds, created_at, expires_at,
        rotated_from
      )
      values (
        ${key.id}, ${key.ownerId}, ${key.ancestorIds}, ${key.name}, ${key.description},
        ${key.hint}, ${key.secretHash}, ${key.scopes}, ${JSON.stringify(key.attributes)},
        ${key.allowedIps}::text[]::cidr[], ${key.rateLimit?.requests ?? null},
        ${key.rateLimit?.perSeconds ?? null}, ${key.createdAt}, ${key.expiresAt},
        ${key.rotatedFrom}
      )
      returning id
    )
    insert into key_roles (key_id, role_name)
    select new_key.id, role_name
    from new_key
    cross join unnest(${key.roles}::text[]) as role_name`)
}

/** @returns the key's id, if there is such a key, and whether it was not revoked before */
export function revokeKey(
  transaction: Queryable,
  target: { readonly id: string } | { readonly secretHash: Buffer },
  revokedAt: Date,
): Promise<{ id: string; changed: boolean } | undefined> {
  const which =
    'id' in target ? sql`keys.id = ${target.id}` : sql`keys.secret_hash = ${target.secretHash}`
  return transaction.maybeOne(
    z.object({ id: z.string(), changed: z.boolean() }),
    sql`
      with target as (
        select id, revoked_at is null as changed from keys where ${which} for no key update
      ), revoked as (
        update keys
        set revoked_at = ${revokedAt}
        from target
        where keys.id = target.id and target.changed
      )
      select id, changed from target`,
  )
}
