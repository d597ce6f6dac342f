import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { AuditService } from '../audit/audit.service.js'
import { CredentialsService } from '../users/credentials.service.js'
import { PasswordsService } from '../users/passwords.service.js'
import { UserTrail } from '../users/user-trail.js'
import { SessionsService } from './sessions.service.js'
import { SigningKeysService } from './signing-keys.service.js'
import { ThrottleService } from './throttle.service.js'
import { TokenFactory } from './token-factory.js'
import { daysAfter, type TokensOptions } from './tokens.options.js'
import { REAPED_AT_ONCE } from '../upkeep/upkeep.js'
import { UpkeepService } from './upkeep.service.js'

const BEGIN = new Date('2026-11-24T10:00:00.000Z')
const MINUTE_MS = 60_000

let now = BEGIN
let testDatabase: TestDatabase
let owner: Database
let database: Database
let upkeep: UpkeepService
let signingKeys: SigningKeysService

const options: TokensOptions = {
  now: () => now,
  masterKey: randomBytes(32).toString('base64url'),
  algorithm: 'ES256',
  issuer: 'olytix-core',
  audience: 'olytix-core',
  rotationDays: 30,
  idleDays: 14,
  absoluteDays: 90,
}

beforeAll(async () => {
  testDatabase = await createTestDatabase({
    migrations: fileURLToPath(new URL('../../migrations', import.meta.url)),
    serviceRole: 'olytix_identity',
  })
  owner = new Database({ url: testDatabase.ownerUrl })
  database = new Database({ url: testDatabase.url })
  ;({ upkeep, signingKeys } = services())
})

afterAll(async () => {
  await Promise.all([owner.close(), database.close()])
  await testDatabase.drop()
})

beforeEach(async () => {
  now = BEGIN
  await owner.execute(sql`truncate signing_keys, users, login_throttles cascade`)
  await owner.execute(sql`
    insert into users (id, email, email_canonical, name, created_at, updated_at)
    values ('usr_1', 'a@b', 'a@b', 'A', now(), now())`)
  await signingKeys.ensure()
})

describe('signing keys', () => {
  test('rotate on their day, once, whatever the number of processes', async () => {
    const [first] = await idsIn('active')
    const [second] = await idsIn('next')
    now = new Date(daysAfter(BEGIN, 30).getTime() - 1)
    await upkeep.run()
    expect(await idsIn('active')).toEqual([first])
    now = daysAfter(BEGIN, 30)
    await Promise.all([upkeep.run(), services().upkeep.run(), services().upkeep.run()])
    expect(await idsIn('active')).toEqual([second])
    expect(await idsIn('retiring')).toEqual([first])
    expect(await idsIn('next')).toHaveLength(1)
  })

  test('retire until nothing that they signed can still be in use', async () => {
    now = daysAfter(BEGIN, 30)
    await upkeep.run()
    const retired = now.getTime()
    now = new Date(retired + 61 * MINUTE_MS)
    await upkeep.run()
    expect(await idsIn('retiring')).toHaveLength(1)
    now = new Date(retired + 61 * MINUTE_MS + 1)
    await upkeep.run()
    expect(await idsIn('retiring')).toEqual([])
    expect(await idsIn('retiring', 'HMAC-SHA-256')).toHaveLength(1)
    now = new Date(daysAfter(new Date(retired), 14).getTime() + MINUTE_MS + 1)
    await upkeep.run()
    expect(await idsIn('retiring', 'HMAC-SHA-256')).toEqual([])
    expect(await idsIn('revoked')).toHaveLength(1)
  })
})

describe('what is over', () => {
  test('is deleted, in batches, and nothing else', async () => {
    const count = REAPED_AT_ONCE * 2 + 7
    await owner.execute(sql`
      insert into sessions (
        id, user_id, epoch, method, access_payload, access_key_id, refresh_key_id, created_at,
        refreshed_at, expires_at, ended_at
      )
      select
        'ses_' || n || end_of.what, 'usr_1', 0, 'password', '{}', keys.id, keys.id, ${BEGIN},
        ${BEGIN}::timestamptz + end_of.refreshed, ${BEGIN}::timestamptz + end_of.expires,
        ${BEGIN}::timestamptz + end_of.ended
      from (select id from signing_keys limit 1) as keys
      cross join generate_series(1, ${count}) as n
      cross join (
        values
          ('expired', interval '2 days', interval '2 days', null),
          ('ended', interval '2 days', interval '90 days', interval '2 days'),
          ('idle', interval '-12 days', interval '90 days', null),
          ('live', interval '2 days', interval '90 days', null),
          ('just_ended', interval '2 days', interval '90 days', interval '2 days 1 minute')
      ) as end_of (what, refreshed, expires, ended)`)
    await owner.execute(sql`
      insert into one_time_tokens (
        token_hash, purpose, user_id, email_canonical, created_at, expires_at
      )
      values (${randomBytes(32)}, 'reset', 'usr_1', 'a@b', ${BEGIN}, ${daysAfter(BEGIN, 3)})`)
    await owner.execute(sql`
      insert into login_throttles (subject_hash, kind, failures, last_failed_at)
      select sha256(n::text::bytea), 'account', 1, ${BEGIN}
      from generate_series(1, ${count}) as n`)
    now = daysAfter(BEGIN, 3)
    await upkeep.run()
    const [left] = await owner.many(
      z.object({ sessions: z.array(z.string()), tokens: z.int(), throttles: z.int() }),
      sql`
        select
          array(
            select distinct regexp_replace(id, '^ses_[0-9]+', '') from sessions order by 1
          ) as sessions,
          (select count(*)::int from one_time_tokens) as tokens,
          (select count(*)::int from login_throttles) as throttles`,
    )
    expect(left).toEqual({ sessions: ['just_ended', 'live'], tokens: 0, throttles: 0 })
  })

  test('does not stop what else is to do when it cannot be deleted', async () => {
    await owner.execute(sql`revoke delete on sessions from ${ident()}`)
    await owner.execute(sql`
      insert into login_throttles (subject_hash, kind, failures, last_failed_at)
      values (${randomBytes(32)}, 'account', 1, ${daysAfter(BEGIN, -1)})`)
    await upkeep.run()
    await owner.execute(sql`grant delete on sessions to ${ident()}`)
    expect(await owner.many(z.unknown(), sql`select from login_throttles`)).toEqual([])
  })
})

function ident(): ReturnType<typeof sql> {
  return sql(Object.assign(['olytix_identity'], { raw: ['olytix_identity'] }))
}

async function idsIn(state: string, algorithm = 'ES256'): Promise<string[]> {
  const rows = await owner.many(
    z.object({ id: z.string() }),
    sql`select id from signing_keys where state = ${state} and algorithm = ${algorithm}`,
  )
  return rows.map(({ id }) => id)
}

/** As one process has them. */
function services(): { readonly upkeep: UpkeepService; readonly signingKeys: SigningKeysService } {
  const audit = new AuditService(database, options)
  const keys = new SigningKeysService(database, audit, options)
  const sessions = new SessionsService(database, new TokenFactory(keys, options), audit, options)
  const trail = new UserTrail(audit, options)
  const credentials = new CredentialsService(database, new PasswordsService(), trail)
  const throttle = new ThrottleService(database, audit, options)
  return { upkeep: new UpkeepService(keys, sessions, credentials, throttle), signingKeys: keys }
}
