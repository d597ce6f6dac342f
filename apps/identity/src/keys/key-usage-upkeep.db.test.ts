import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { REAPED_AT_ONCE } from '../upkeep/upkeep.js'
import { KeyUsageUpkeepService, USAGE_KEPT_DAYS } from './key-usage-upkeep.service.js'

const NOW = new Date('2026-11-24T10:00:00.000Z')

let testDatabase: TestDatabase
let database: Database
let owner: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase({
    migrations: fileURLToPath(new URL('../../migrations', import.meta.url)),
    serviceRole: 'olytix_identity',
  })
  database = new Database({ url: testDatabase.url })
  owner = new Database({ url: testDatabase.ownerUrl })
})

afterAll(async () => {
  await Promise.all([database.close(), owner.close()])
  await testDatabase.drop()
})

test('usage of a key is deleted once it is too old, whatever the number of rows and processes', async () => {
  const count = 2 * REAPED_AT_ONCE + 1
  await owner.execute(sql`
    insert into users (id, email, email_canonical, name, created_at, updated_at)
    values ('usr_1', 'a@b', 'a@b', 'A', now(), now())`)
  await owner.execute(sql`
    insert into keys (id, owner_id, name, hint, secret_hash, scopes, created_at, expires_at)
    values ('key_1', 'usr_1', 'A key', 'abcd', sha256('key_1'), '{read}', now(), now())`)
  await owner.execute(sql`
    insert into key_usage (key_id, hour, outcome, requests)
    select 'key_1', oldest_kept - n * interval '1 hour', 'allowed', 1
    from (select ${NOW}::timestamptz - make_interval(days => ${USAGE_KEPT_DAYS}) as oldest_kept) as kept
    cross join generate_series(0, ${count}) as n`)
  const options = { now: () => NOW, maxDays: undefined }
  const upkeeps = [1, 2].map(() => new KeyUsageUpkeepService(database, options))
  await Promise.all(upkeeps.map((upkeep) => upkeep.run()))
  const hours = await owner.many(z.object({ hour: z.date() }), sql`select hour from key_usage`)
  expect(hours).toEqual([{ hour: new Date(NOW.getTime() - USAGE_KEPT_DAYS * 86_400_000) }])
})
