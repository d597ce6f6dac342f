import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { KeyAlgorithm } from './key-material.js'

const signingKeyRow = z.object({
  id: z.string(),
  algorithm: z.enum(['HS256', 'ES256', 'RS256', 'HMAC-SHA-256']),
  state: z.enum(['next', 'active', 'retiring', 'revoked']),
  created_at: z.date(),
  activated_at: z.date().nullable(),
  retired_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
})

/** A signing key without its secret. */
export type SigningKeyRow = z.output<typeof signingKeyRow>

const sealedKeyRow = signingKeyRow
  .pick({ id: true, algorithm: true, state: true })
  .extend({ sealed: z.instanceof(Uint8Array) })

export type SealedKeyRow = z.output<typeof sealedKeyRow>

const columns = sql`
  id, algorithm, state, created_at, activated_at, retired_at, revoked_at`

/** Any fixed number of our own: whoever changes signing keys does so alone. */
const SIGNING_KEYS_LOCK = 4_907_318_226
const MAX_LISTED = 1000

export async function lockSigningKeys(transaction: Queryable): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(${SIGNING_KEYS_LOCK})`)
}

/** Newest first. */
export function listSigningKeys(database: Queryable): Promise<SigningKeyRow[]> {
  return database.many(
    signingKeyRow,
    sql`select ${columns} from signing_keys order by id desc limit ${MAX_LISTED}`,
  )
}

export function findSigningKey(
  database: Queryable,
  id: string,
): Promise<SigningKeyRow | undefined> {
  return database.maybeOne(signingKeyRow, sql`select ${columns} from signing_keys where id = ${id}`)
}

/** All keys that sign, will sign, or have signed what still counts; the active ones first. */
export function listSealedKeys(database: Queryable): Promise<SealedKeyRow[]> {
  return database.many(
    sealedKeyRow,
    sql`
      select id, algorithm, state, sealed
      from signing_keys
      where state <> 'revoked'
      order by state = 'active' desc, id desc`,
  )
}

/** The keys of these algorithms that sign or will sign. */
export function listCurrentKeys(
  database: Queryable,
  algorithms: readonly KeyAlgorithm[],
): Promise<SigningKeyRow[]> {
  return database.many(
    signingKeyRow,
    sql`
      select ${columns}
      from signing_keys
      where algorithm = any (${algorithms}) and state in ('next', 'active')`,
  )
}

export async function insertSigningKey(
  transaction: Queryable,
  key: {
    readonly id: string
    readonly algorithm: KeyAlgorithm
    readonly sealed: Buffer
    readonly createdAt: Date
  },
): Promise<void> {
  await transaction.execute(sql`
    insert into signing_keys (id, algorithm, state, sealed, created_at)
    values (${key.id}, ${key.algorithm}, 'next', ${key.sealed}, ${key.createdAt})`)
}

export async function activateKey(transaction: Queryable, id: string, at: Date): Promise<void> {
  await transaction.execute(sql`
    update signing_keys set state = 'active', activated_at = ${at} where id = ${id}`)
}

export async function retireKey(transaction: Queryable, id: string, at: Date): Promise<void> {
  await transaction.execute(sql`
    update signing_keys set state = 'retiring', retired_at = ${at} where id = ${id}`)
}

/** @returns whether it was not revoked before */
export async function revokeSigningKey(
  transaction: Queryable,
  id: string,
  at: Date,
): Promise<boolean> {
  const changed = await transaction.execute(sql`
    update signing_keys
    set state = 'revoked', revoked_at = ${at}
    where id = ${id} and state <> 'revoked'`)
  return changed > 0
}

/** Revokes what has retired long enough that nothing it signed still counts. @returns their ids */
export async function revokeRetiredKeys(
  transaction: Queryable,
  { at, accessSince, refreshSince }: { at: Date; accessSince: Date; refreshSince: Date },
): Promise<string[]> {
  const rows = await transaction.many(
    z.object({ id: z.string() }),
    sql`
      update signing_keys
      set state = 'revoked', revoked_at = ${at}
      where state = 'retiring'
        and retired_at < case
          when algorithm = 'HMAC-SHA-256' then ${refreshSince}::timestamptz
          else ${accessSince}::timestamptz
        end
      returning id`,
  )
  return rows.map(({ id }) => id)
}
