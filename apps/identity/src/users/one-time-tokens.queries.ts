import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { OneTimePurpose } from './one-time-token.js'

const tokenRow = z.object({ user_id: z.string(), email_canonical: z.string() })

/** Whose token it is, and which address its use proves. */
export type OneTimeTokenRow = z.output<typeof tokenRow>

export interface NewOneTimeTokenRow {
  readonly tokenHash: Buffer
  readonly purpose: OneTimePurpose
  readonly userId: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** A user has one token at most: a new one ends the one before. */
export async function insertOneTimeToken(
  transaction: Queryable,
  token: NewOneTimeTokenRow,
): Promise<void> {
  await transaction.execute(sql`delete from one_time_tokens where user_id = ${token.userId}`)
  await transaction.execute(sql`
    insert into one_time_tokens (
      token_hash, purpose, user_id, email_canonical, created_at, expires_at
    )
    select ${token.tokenHash}::bytea, ${token.purpose}, users.id, users.email_canonical,
      ${token.createdAt}::timestamptz, ${token.expiresAt}::timestamptz
    from users
    where users.id = ${token.userId}`)
}

/** Looks without using it. */
export function findOneTimeToken(
  database: Queryable,
  token: { readonly tokenHash: Buffer; readonly purpose: OneTimePurpose; readonly now: Date },
): Promise<OneTimeTokenRow | undefined> {
  return database.maybeOne(
    tokenRow,
    sql`
      select user_id, email_canonical
      from one_time_tokens
      where token_hash = ${token.tokenHash} and purpose = ${token.purpose}
        and expires_at > ${token.now}`,
  )
}

/** Uses it up: of many at once, one finds it. */
export function takeOneTimeToken(
  transaction: Queryable,
  token: { readonly tokenHash: Buffer; readonly purpose: OneTimePurpose; readonly now: Date },
): Promise<OneTimeTokenRow | undefined> {
  return transaction.maybeOne(
    tokenRow,
    sql`
      delete from one_time_tokens
      where token_hash = ${token.tokenHash} and purpose = ${token.purpose}
        and expires_at > ${token.now}
      returning user_id, email_canonical`,
  )
}

export async function deleteOneTimeTokens(transaction: Queryable, userId: string): Promise<void> {
  await transaction.execute(sql`delete from one_time_tokens where user_id = ${userId}`)
}

/** @returns how many of at most `limit` it deleted */
export function deleteExpiredTokens(
  database: Queryable,
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<number> {
  return database.execute(sql`
    delete from one_time_tokens
    where token_hash in (
      select token_hash
      from one_time_tokens
      where expires_at <= ${now}
      limit ${limit}
    )`)
}
