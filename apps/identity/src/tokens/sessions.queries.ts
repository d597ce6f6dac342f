import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import { storedAttributes } from '../users/attributes.js'
import type { SigningAlgorithm } from './key-material.js'

const scopes = z.array(z.enum(['read', 'write', 'admin']))

const roleNames = sql`
  array(
    select role_name from user_roles where user_roles.user_id = users.id order by role_name
  )`

const roleScopes = sql`
  array(
    select distinct scope
    from user_roles
    join roles on roles.name = user_roles.role_name
    cross join unnest(roles.scopes) as scope
    where user_roles.user_id = users.id
  )`

const isUserEnded = sql`coalesce(users.disabled_at, users.deleted_at) is not null`

const subjectRow = z.object({
  user_id: z.string(),
  email: z.string(),
  name: z.string(),
  attributes: storedAttributes,
  roles: z.array(z.string()),
  scopes,
  user_epoch: z.int(),
  user_ended: z.boolean(),
  access_key_id: z.string(),
  refresh_key_id: z.string(),
})

/** A user for whom tokens may be made, and the keys to make them with. */
export type SubjectRow = z.output<typeof subjectRow>

function subjectColumns(algorithm: SigningAlgorithm): typeof roleNames {
  return sql`
    users.id as user_id, users.email, users.name, users.attributes,
    ${roleNames} as roles, ${roleScopes} as scopes,
    users.credentials_epoch as user_epoch, ${isUserEnded} as user_ended,
    (select id from signing_keys where algorithm = ${algorithm} and state = 'active')
      as access_key_id,
    (select id from signing_keys where algorithm = 'HMAC-SHA-256' and state = 'active')
      as refresh_key_id`
}

export function findSubject(
  database: Queryable,
  userId: string,
  algorithm: SigningAlgorithm,
): Promise<SubjectRow | undefined> {
  return database.maybeOne(
    subjectRow,
    sql`select ${subjectColumns(algorithm)} from users where users.id = ${userId}`,
  )
}

const refreshableRow = z.object({
  id: z.string(),
  epoch: z.int(),
  counter: z.int(),
  access_payload: z.string(),
  latest_access_key_id: z.string(),
  latest_refresh_key_id: z.string(),
  refreshed_at: z.date(),
  expires_at: z.date(),
  ended_at: z.date().nullable(),
  subject: subjectRow,
})

/** A session as a refresh finds it, and its user as of the same moment. */
export type RefreshableRow = z.output<typeof refreshableRow>

/** Nothing unless the key that made the presented token still counts. */
export function findRefreshable(
  database: Queryable,
  sessionId: string,
  { presentedKeyId, algorithm }: { presentedKeyId: string; algorithm: SigningAlgorithm },
): Promise<RefreshableRow | undefined> {
  return database.maybeOne(
    refreshableRow,
    sql`
      select
        sessions.id, sessions.epoch, sessions.counter, sessions.access_payload,
        sessions.access_key_id as latest_access_key_id,
        sessions.refresh_key_id as latest_refresh_key_id,
        sessions.refreshed_at, sessions.expires_at, sessions.ended_at,
        to_jsonb(subject) as subject
      from sessions
      cross join lateral (
        select ${subjectColumns(algorithm)} from users where users.id = sessions.user_id
      ) as subject
      join signing_keys as presented on presented.id = ${presentedKeyId}
      where sessions.id = ${sessionId} and presented.state in ('active', 'retiring')`,
  )
}

/** The tokens that a session was given last. */
export interface IssuedRow {
  readonly accessPayload: string
  readonly accessKeyId: string
  readonly refreshKeyId: string
  readonly clientIp: string | null
  readonly at: Date
}

export interface NewSessionRow extends IssuedRow {
  readonly id: string
  readonly userId: string
  readonly epoch: number
  readonly method: string
  readonly userAgent: string
  readonly expiresAt: Date
}

/**
 * Begins a session if the user is still who they were: neither ended nor of another epoch. Locks the user, so that
 * whoever ends all sessions at this moment comes before or after it.
 * @returns whether it did
 */
export async function insertSession(transaction: Queryable, row: NewSessionRow): Promise<boolean> {
  const inserted = await transaction.execute(sql`
    with subject as (
      update users
      set last_login_at = ${row.at}
      where id = ${row.userId} and credentials_epoch = ${row.epoch}
        and disabled_at is null and deleted_at is null
      returning id
    )
    insert into sessions (
      id, user_id, epoch, method, access_payload, access_key_id, refresh_key_id,
      created_at, refreshed_at, expires_at, client_ip, user_agent
    )
    select
      ${row.id}, subject.id, ${row.epoch}::integer, ${row.method}, ${row.accessPayload},
      ${row.accessKeyId}, ${row.refreshKeyId}, ${row.at}::timestamptz, ${row.at}::timestamptz,
      ${row.expiresAt}::timestamptz, ${row.clientIp}::inet, ${row.userAgent}
    from subject`)
  return inserted > 0
}

/**
 * Takes the one next step of a session, if nobody took it before and nothing has ended it. One statement: of many at
 * once, one succeeds.
 * @returns whether it did
 */
export async function advanceSession(
  database: Queryable,
  session: { readonly id: string; readonly counter: number; readonly idleSince: Date },
  issued: IssuedRow,
): Promise<boolean> {
  const advanced = await database.execute(sql`
    update sessions
    set counter = counter + 1, refreshed_at = ${issued.at},
      access_payload = ${issued.accessPayload}, access_key_id = ${issued.accessKeyId},
      refresh_key_id = ${issued.refreshKeyId}, client_ip = ${issued.clientIp}
    from users
    where sessions.id = ${session.id} and sessions.counter = ${session.counter}
      and sessions.ended_at is null and sessions.expires_at > ${issued.at}
      and sessions.refreshed_at > ${session.idleSince}
      and users.id = sessions.user_id and users.credentials_epoch = sessions.epoch
      and users.disabled_at is null and users.deleted_at is null`)
  return advanced > 0
}

const endedRow = z.object({ id: z.string(), user_id: z.string() })

/** @param userId only if it is this user's @returns the session if it was live until now */
export function endSession(
  transaction: Queryable,
  session: { readonly id: string; readonly userId: string | null; readonly at: Date },
): Promise<z.output<typeof endedRow> | undefined> {
  return transaction.maybeOne(
    endedRow,
    sql`
      update sessions
      set ended_at = ${session.at}
      where id = ${session.id} and ended_at is null
        and (${session.userId}::text is null or user_id = ${session.userId})
      returning id, user_id`,
  )
}

/** Carries a session over into the user's present epoch: it alone outlives a change of password. */
export async function keepSession(transaction: Queryable, id: string): Promise<void> {
  await transaction.execute(sql`
    update sessions
    set epoch = users.credentials_epoch
    from users
    where sessions.id = ${id} and users.id = sessions.user_id`)
}

const sessionRow = z.object({
  id: z.string(),
  created_at: z.date(),
  refreshed_at: z.date(),
  expires_at: z.date(),
  client_ip: z.string().nullable(),
  user_agent: z.string(),
})

/** A session as its user sees it. */
export type SessionRow = z.output<typeof sessionRow>

/** Live ones, newest first, from the one before `beforeId` on. */
export function listSessions(
  database: Queryable,
  userId: string,
  page: {
    readonly now: Date
    readonly idleSince: Date
    readonly beforeId: string | null
    readonly limit: number
  },
): Promise<SessionRow[]> {
  return database.many(
    sessionRow,
    sql`
      select sessions.id, sessions.created_at, sessions.refreshed_at, sessions.expires_at,
        host(sessions.client_ip) as client_ip, sessions.user_agent
      from sessions
      join users on users.id = sessions.user_id and users.credentials_epoch = sessions.epoch
      where sessions.user_id = ${userId} and sessions.ended_at is null
        and sessions.expires_at > ${page.now} and sessions.refreshed_at > ${page.idleSince}
        and (${page.beforeId}::text is null or sessions.id < ${page.beforeId})
      order by sessions.id desc
      limit ${page.limit}`,
  )
}

const heldSessionRow = z.object({
  id: z.string(),
  user_id: z.string(),
  email: z.string(),
  name: z.string(),
  attributes: storedAttributes,
  roles: z.array(z.string()),
  scopes,
  expires_at: z.date(),
  is_over: z.boolean(),
  user_ended: z.boolean(),
  revision: z.int(),
})

/** A session with all that a decision needs, as of one moment. */
export type HeldSessionRow = z.output<typeof heldSessionRow>

/**
 * The one statement of the hot path. `is_over`: the session ended, its user entered another epoch, or the key that
 * signed the token no longer counts.
 */
export function findHeldSession(
  database: Queryable,
  { sid, sub, keyId }: { readonly sid: string; readonly sub: string; readonly keyId: string },
): Promise<HeldSessionRow | undefined> {
  return database.maybeOne(
    heldSessionRow,
    sql`
      select
        sessions.id, users.id as user_id, users.email, users.name, users.attributes,
        ${roleNames} as roles, ${roleScopes} as scopes, sessions.expires_at,
        sessions.ended_at is not null
          or sessions.epoch <> users.credentials_epoch
          or not exists (
            select from signing_keys
            where signing_keys.id = ${keyId} and signing_keys.state in ('active', 'retiring')
          ) as is_over,
        ${isUserEnded} as user_ended,
        (select value from revisions) as revision
      from sessions
      join users on users.id = sessions.user_id
      where sessions.id = ${sid} and sessions.user_id = ${sub}`.preparedAs('find_held_session'),
  )
}

/** Deletes sessions that have been over since before these moments. @returns how many of at most `limit` */
export function deleteOldSessions(
  database: Queryable,
  { since, idleSince, limit }: { since: Date; idleSince: Date; limit: number },
): Promise<number> {
  return database.execute(sql`
    delete from sessions
    where id in (
      select id
      from sessions
      where expires_at <= ${since} or ended_at <= ${since} or refreshed_at <= ${idleSince}
      limit ${limit}
      for update skip locked
    )`)
}
