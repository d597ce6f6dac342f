import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { type KeyUse, KeyUsesService } from './key-uses.service.js'

const EARLY = new Date('2026-11-24T10:00:00.000Z')
const LATE = new Date('2026-11-24T10:00:01.000Z')
const KEYS = ['key_a', 'key_b', 'key_c']

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

beforeEach(async () => {
  await owner.execute(sql`truncate keys, users, key_usage cascade`)
  await owner.execute(sql`
    insert into users (id, email, email_canonical, name, created_at, updated_at)
    values ('usr_1', 'a@b', 'a@b', 'A', now(), now())`)
  await owner.execute(sql`
    insert into keys (id, owner_id, name, hint, secret_hash, scopes, created_at, expires_at)
    select id, 'usr_1', 'A key', 'abcd', sha256(id::bytea), '{read}', now(), now()
    from unnest(${KEYS}::text[]) as id`)
})

describe('the last use of a key', () => {
  test('is written once for many uses, and the latest wins whatever their order', async () => {
    const uses = new KeyUsesService(database)
    uses.note(aUse('key_a', LATE))
    uses.note(aUse('key_a', EARLY))
    uses.note(aUse('key_unknown', LATE))
    await uses.flush()
    expect(await stored()).toEqual([LATE, null, null])
  })

  test('never goes back, whichever process writes last', async () => {
    const [one, other] = [new KeyUsesService(database), new KeyUsesService(database)]
    one.note(aUse('key_b', LATE))
    other.note(aUse('key_b', EARLY))
    await one.flush()
    await other.flush()
    expect(await stored()).toEqual([null, LATE, null])
  })

  test('survives a database that is away', async () => {
    const away = new Database({ url: 'postgres://nobody@127.0.0.1:1/none' })
    const broken = new KeyUsesService(away)
    broken.note(aUse('key_c', LATE))
    await broken.flush()
    await away.close()
    Reflect.set(broken, 'database', database)
    await broken.flush()
    expect(await stored()).toEqual([null, null, LATE])
  })

  test('is written by two processes at once without a deadlock', async () => {
    const services = [new KeyUsesService(database), new KeyUsesService(database)]
    for (let round = 0; round < 50; round += 1) {
      const at = new Date(LATE.getTime() + round)
      for (const id of KEYS) services[0]?.note(aUse(id, at))
      for (const id of KEYS.toReversed()) services[1]?.note(aUse(id, at))
      await Promise.all(services.map((service) => service.flush()))
    }
    const last = new Date(LATE.getTime() + 49)
    expect(await stored()).toEqual([last, last, last])
  })
})

function aUse(keyId: string, at: Date): KeyUse {
  return { keyId, outcome: 'allowed', at, clientIp: '192.0.2.1', requests: 1 }
}

async function stored(): Promise<(Date | null)[]> {
  const rows = await owner.many(
    z.object({ last_used_at: z.date().nullable() }),
    sql`select last_used_at from keys order by id`,
  )
  return rows.map((row) => row.last_used_at)
}
