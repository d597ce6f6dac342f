import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

const codeRow = z.object({
  user_id: z.string(),
  epoch: z.int(),
  method: z.string(),
  code_challenge: z.string(),
  expires_at: z.date(),
})

/** Whose sign-in a code stands for. */
export type CodeRow = z.output<typeof codeRow>

export interface NewCodeRow {
  readonly codeHash: Buffer
  readonly userId: string
  readonly epoch: number
  readonly method: string
  readonly codeChallenge: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

export async function insertCode(database: Queryable, row: NewCodeRow): Promise<void> {
  await database.execute(sql`
    insert into oauth_codes (
      code_hash, user_id, epoch, method, code_challenge, created_at, expires_at
    )
    values (
      ${row.codeHash}, ${row.userId}, ${row.epoch}, ${row.method}, ${row.codeChallenge},
      ${row.createdAt}, ${row.expiresAt}
    )`)
}

/** The first use of a code: of many at once, one finds it. */
export function takeCode(
  database: Queryable,
  codeHash: Buffer,
  at: Date,
): Promise<CodeRow | undefined> {
  return database.maybeOne(
    codeRow,
    sql`
      update oauth_codes
      set redeemed_at = ${at}
      where code_hash = ${codeHash} and redeemed_at is null
      returning user_id, epoch, method, code_challenge, expires_at`,
  )
}

const replayedRow = z.object({ user_id: z.string(), session_id: z.string().nullable() })

/** A later use. @returns the session to end, if it has begun; nothing for a code that there never was */
export function markReplayed(
  database: Queryable,
  codeHash: Buffer,
  at: Date,
): Promise<z.output<typeof replayedRow> | undefined> {
  return database.maybeOne(
    replayedRow,
    sql`
      update oauth_codes
      set replayed_at = coalesce(replayed_at, ${at})
      where code_hash = ${codeHash} and redeemed_at is not null
      returning user_id, session_id`,
  )
}

/** Notes which session a code began. @returns whether the code was used again meanwhile: then the session must end */
export async function tieSession(
  database: Queryable,
  codeHash: Buffer,
  sessionId: string,
): Promise<boolean> {
  const row = await database.maybeOne(
    z.object({ replayed: z.boolean() }),
    sql`
      update oauth_codes
      set session_id = ${sessionId}
      where code_hash = ${codeHash}
      returning replayed_at is not null as replayed`,
  )
  return row?.replayed ?? true
}

/** @returns how many of at most `limit` it deleted */
export function deleteOldCodes(
  database: Queryable,
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number> {
  return database.execute(sql`
    delete from oauth_codes
    where code_hash in (
      select code_hash
      from oauth_codes
      where expires_at <= ${before}
      limit ${limit}
      for update skip locked
    )`)
}
