import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

const stateRow = z
  .object({
    provider: z.string(),
    nonce: z.string(),
    code_verifier: z.string(),
    browser_hash: z.instanceof(Uint8Array),
    callback_url: z.string(),
    redirect_uri: z.string().nullable(),
    client_state: z.string().nullable(),
    code_challenge: z.string().nullable(),
    expires_at: z.date(),
  })
  .transform((row) => ({
    provider: row.provider,
    nonce: row.nonce,
    codeVerifier: row.code_verifier,
    browserHash: row.browser_hash,
    callbackUrl: row.callback_url,
    client: toClient(row.redirect_uri, row.client_state, row.code_challenge),
    expiresAt: row.expires_at,
  }))

/** A sign-in that is under way. */
export type StateRow = z.output<typeof stateRow>

/** Who is sent the one-time code, with what it must be redeemed, and what comes back with it. */
export interface Client {
  readonly redirectUri: string
  readonly state: string | null
  readonly codeChallenge: string
}

export interface NewStateRow {
  readonly stateHash: Buffer
  readonly provider: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly browserHash: Buffer
  readonly callbackUrl: string
  /** Null: the callback answers the tokens themselves. */
  readonly client: Client | null
  readonly network: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Sign-ins of a network that may still be finished. */
export async function countStates(
  database: Queryable,
  { network, now }: { readonly network: string; readonly now: Date },
): Promise<number> {
  const row = await database.maybeOne(
    z.object({ pending: z.int() }),
    sql`
      select count(*)::int as pending
      from oauth_states
      where network = ${network} and expires_at > ${now}`,
  )
  return row?.pending ?? 0
}

export async function insertState(database: Queryable, row: NewStateRow): Promise<void> {
  await database.execute(sql`
    insert into oauth_states (
      state_hash, provider, nonce, code_verifier, browser_hash, callback_url, redirect_uri,
      client_state, code_challenge, network, created_at, expires_at
    )
    values (
      ${row.stateHash}, ${row.provider}, ${row.nonce}, ${row.codeVerifier}, ${row.browserHash},
      ${row.callbackUrl}, ${row.client?.redirectUri ?? null}, ${row.client?.state ?? null},
      ${row.client?.codeChallenge ?? null}, ${row.network}, ${row.createdAt}, ${row.expiresAt}
    )`)
}

/** Uses it up: of many at once, one finds it. */
export function takeState(database: Queryable, stateHash: Buffer): Promise<StateRow | undefined> {
  return database.maybeOne(
    stateRow,
    sql`
      delete from oauth_states
      where state_hash = ${stateHash}
      returning provider, nonce, code_verifier, browser_hash, callback_url, redirect_uri,
        client_state, code_challenge, expires_at`,
  )
}

/** @returns how many of at most `limit` it deleted */
export function deleteExpiredStates(
  database: Queryable,
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number> {
  return database.execute(sql`
    delete from oauth_states
    where state_hash in (
      select state_hash
      from oauth_states
      where expires_at <= ${before}
      limit ${limit}
    )`)
}

function toClient(
  redirectUri: string | null,
  state: string | null,
  codeChallenge: string | null,
): Client | null {
  return redirectUri === null || codeChallenge === null
    ? null
    : { redirectUri, state, codeChallenge }
}
