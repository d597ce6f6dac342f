import type { Scope } from '@olytix/auth-guards'
import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { Attributes } from '../users/attributes.js'

const id = z.object({ id: z.string() })

/**
 * Until the transaction ends nobody else changes this key or the one that it replaces. Locks in the order of ids.
 * Read the key afterwards, in a statement of its own, to see what others have changed.
 */
export async function lockKey(transaction: Queryable, keyId: string): Promise<void> {
  await transaction.execute(sql`
    select id
    from keys
    where id = ${keyId} or id = (select rotated_from from keys where id = ${keyId})
    order by id
    for no key update`)
}

/** The settings of a key, all of them. */
export interface KeySettings {
  readonly name: string
  readonly description: string
  readonly scopes: readonly Scope[]
  readonly roles: readonly string[]
  readonly attributes: Attributes
  readonly allowedIps: readonly string[]
  readonly rateLimit: { readonly requests: number; readonly perSeconds: number } | null
  readonly disabledAt: Date | null
}

export async function updateKey(
  transaction: Queryable,
  keyId: string,
  settings: KeySettings,
): Promise<void> {
  await transaction.execute(sql`
    update keys
    set
      name = ${settings.name},
      description = ${settings.description},
      scopes = ${settings.scopes},
      attributes = ${JSON.stringify(settings.attributes)},
      allowed_ips = ${settings.allowedIps}::text[]::cidr[],
      rate_limit_requests = ${settings.rateLimit?.requests ?? null},
      rate_limit_per_seconds = ${settings.rateLimit?.perSeconds ?? null},
      disabled_at = ${settings.disabledAt}
    where id = ${keyId}`)
}

export async function updateKeyRoles(
  transaction: Queryable,
  keyId: string,
  roles: readonly string[],
): Promise<void> {
  await transaction.execute(sql`
    delete from key_roles
    where key_id = ${keyId} and role_name <> all (${roles}::text[])`)
  await transaction.execute(sql`
    insert into key_roles (key_id, role_name)
    select ${keyId}, role_name
    from unnest(${roles}::text[]) as role_name
    on conflict do nothing`)
}

const lifeRow = z.object({
  owner_id: z.string(),
  ancestor_ids: z.array(z.string()),
  expires_at: z.date(),
})

/** What a key that replaces this one takes over, apart from its settings. `expires_at` is the original one. */
export function findLife(
  transaction: Queryable,
  keyId: string,
): Promise<z.output<typeof lifeRow> | undefined> {
  return transaction.maybeOne(
    lifeRow,
    sql`select owner_id, ancestor_ids, expires_at from keys where id = ${keyId}`,
  )
}

/** Ends a key at a moment to come: the overlap after its rotation. */
export async function rotateOutKey(
  transaction: Queryable,
  keyId: string,
  rotatedOutAt: Date,
): Promise<void> {
  await transaction.execute(sql`
    update keys set rotated_out_at = ${rotatedOutAt} where id = ${keyId}`)
}

/** Revokes a key, if it works still. @returns whether it did */
export async function revokeLiveKey(
  transaction: Queryable,
  keyId: string,
  revokedAt: Date,
): Promise<boolean> {
  const touched = await transaction.execute(sql`
    update keys
    set revoked_at = ${revokedAt}
    where id = ${keyId}
      and revoked_at is null
      and least(expires_at, rotated_out_at) > ${revokedAt}`)
  return touched > 0
}

/** Revokes all keys of a user. @returns those that were not revoked before, in their order */
export async function revokeKeysOfOwner(
  transaction: Queryable,
  ownerId: string,
  revokedAt: Date,
): Promise<string[]> {
  const rows = await transaction.many(
    id,
    sql`
      with target as (
        select id
        from keys
        where owner_id = ${ownerId} and revoked_at is null
        order by id
        for no key update
      )
      update keys
      set revoked_at = ${revokedAt}
      from target
      where keys.id = target.id
      returning keys.id`,
  )
  return rows.map((row) => row.id).sort()
}

export async function isUser(database: Queryable, userId: string): Promise<boolean> {
  return (await database.maybeOne(id, sql`select id from users where id = ${userId}`)) !== undefined
}
