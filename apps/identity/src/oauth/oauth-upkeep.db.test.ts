import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { AuditService } from '../audit/audit.service.js'
import { SessionsService } from '../tokens/sessions.service.js'
import { SigningKeysService } from '../tokens/signing-keys.service.js'
import { TokenFactory } from '../tokens/token-factory.js'
import type { TokensOptions } from '../tokens/tokens.options.js'
import { REAPED_AT_ONCE } from '../upkeep/upkeep.js'
import { CodesService } from './codes.service.js'
import type { OAuthOptions } from './oauth.options.js'
import { OAuthUpkeepService } from './oauth-upkeep.service.js'
import { Providers } from './providers/providers.js'
import { StatesService } from './states.service.js'

const NOW = new Date('2026-11-24T10:00:00.000Z')
const DAY_MS = 86_400_000

let testDatabase: TestDatabase
let owner: Database
let database: Database
let upkeep: OAuthUpkeepService

beforeAll(async () => {
  testDatabase = await createTestDatabase({
    migrations: fileURLToPath(new URL('../../migrations', import.meta.url)),
    serviceRole: 'olytix_identity',
  })
  owner = new Database({ url: testDatabase.ownerUrl })
  database = new Database({ url: testDatabase.url })
  upkeep = upkeepOf(database)
  await owner.execute(sql`
    insert into users (id, email, email_canonical, name, created_at, updated_at)
    values ('usr_1', 'a@b', 'a@b', 'A', now(), now())`)
})

afterAll(async () => {
  await Promise.all([owner.close(), database.close()])
  await testDatabase.drop()
})

beforeEach(async () => {
  await owner.execute(sql`truncate oauth_states, oauth_codes`)
})

describe('once a minute', () => {
  test('states that can no longer be finished go, however many there are', async () => {
    const many = 2 * REAPED_AT_ONCE + 1
    await insertStates(NOW, many)
    await insertStates(new Date(NOW.getTime() + 1), 1)
    await upkeep.run()
    expect(await expiries('oauth_states')).toEqual([new Date(NOW.getTime() + 1)])
  })

  test('codes go a day after their end: until then a second use is known as one', async () => {
    const [old, known] = [-DAY_MS, 1 - DAY_MS].map((ms) => new Date(NOW.getTime() + ms))
    for (const expiresAt of [old, known]) {
      await owner.execute(sql`
        insert into oauth_codes (
          code_hash, user_id, epoch, method, code_challenge, created_at, expires_at
        )
        values (${randomBytes(32)}, 'usr_1', 0, 'oauth:corp', '', ${NOW}, ${expiresAt})`)
    }
    await upkeep.run()
    expect(await expiries('oauth_codes')).toEqual([known])
  })
})

async function insertStates(expiresAt: Date, count: number): Promise<void> {
  await owner.execute(sql`
    insert into oauth_states (
      state_hash, provider, nonce, code_verifier, browser_hash, callback_url, network, created_at,
      expires_at
    )
    select sha256((number || ${expiresAt.toISOString()})::bytea), 'corp', '', '', sha256(''), '',
      '192.0.2.1', ${NOW}::timestamptz, ${expiresAt}::timestamptz
    from generate_series(1, ${count}::integer) as number`)
}

async function expiries(table: 'oauth_states' | 'oauth_codes'): Promise<Date[]> {
  const rows = await owner.many(
    z.object({ expires_at: z.date() }),
    table === 'oauth_states'
      ? sql`select expires_at from oauth_states`
      : sql`select expires_at from oauth_codes`,
  )
  return rows.map(({ expires_at }) => expires_at)
}

function upkeepOf(database: Database): OAuthUpkeepService {
  const now = (): Date => NOW
  const tokens: TokensOptions = {
    now,
    masterKey: randomBytes(32).toString('base64url'),
    algorithm: 'HS256',
    issuer: 'olytix-core',
    audience: 'olytix-core',
    rotationDays: 30,
    idleDays: 14,
    absoluteDays: 90,
  }
  const audit = new AuditService(database, tokens)
  const factory = new TokenFactory(new SigningKeysService(database, audit, tokens), tokens)
  const sessions = new SessionsService(database, factory, audit, tokens)
  const providers = new Providers({ providers: [], now, allowPrivateAddresses: false })
  const options: OAuthOptions = { now, providers, redirectUris: [] }
  return new OAuthUpkeepService(
    new StatesService(database, options),
    new CodesService(database, sessions, options),
  )
}
