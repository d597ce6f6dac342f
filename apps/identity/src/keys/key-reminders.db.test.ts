import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { AuditService } from '../audit/audit.service.js'
import { KeyRemindersService } from './key-reminders.service.js'

const DAY_MS = 86_400_000
const END = new Date('2027-06-30T00:00:00.000Z')

let testDatabase: TestDatabase
let database: Database
let owner: Database
let now = new Date()

beforeAll(async () => {
  testDatabase = await createTestDatabase({
    migrations: fileURLToPath(new URL('../../migrations', import.meta.url)),
    serviceRole: 'olytix_identity',
  })
  database = new Database({ url: testDatabase.url })
  owner = new Database({ url: testDatabase.ownerUrl })
  await owner.execute(sql`
    insert into users (id, email, email_canonical, name, created_at, updated_at)
    values ('usr_1', 'a@b', 'a@b', 'A', now(), now())`)
})

afterAll(async () => {
  await Promise.all([database.close(), owner.close()])
  await testDatabase.drop()
})

beforeEach(async () => {
  await owner.execute(sql`truncate keys cascade`)
  await owner.execute(sql`truncate audit_events`)
  await owner.execute(sql`update revisions set events = 0, events_hash = '\\x'`)
})

describe('the end of a key', () => {
  test('is announced 30, 7 and 1 days ahead, each once', async () => {
    await aKey('key_year', 365)
    const announced: [number, number][] = []
    for (let days = 32; days >= 0; days -= 0.25) {
      now = new Date(END.getTime() - days * DAY_MS)
      if ((await replica().remind()) > 0) announced.push([days, (await lastDays()) ?? 0])
    }
    expect(announced).toEqual([
      [30, 30],
      [7, 7],
      [1, 1],
    ])
  })

  test('is announced by the most urgent notice alone if it is found late', async () => {
    await aKey('key_late', 365)
    now = new Date(END.getTime() - 3 * DAY_MS)
    expect(await replica().remind()).toBe(1)
    expect(await lastDays()).toBe(7)
    expect(await replica().remind()).toBe(0)
  })

  test.each([
    [30, [7, 1]],
    [7, [1]],
    [1, []],
  ])(
    'of a key that lives %d days is announced only as far ahead as it lives',
    async (life, all) => {
      await aKey('key_short', life)
      const announced: (number | undefined)[] = []
      for (let days = life; days >= 0; days -= 0.5) {
        now = new Date(END.getTime() - days * DAY_MS)
        if ((await replica().remind()) > 0) announced.push(await lastDays())
      }
      expect(announced).toEqual(all)
    },
  )

  test.each(['revoked_at', 'disabled_at', 'rotated_out_at'])(
    'of a key with %s is not announced',
    async (column) => {
      await aKey('key_over', 365)
      const set = {
        revoked_at: sql`revoked_at = now()`,
        disabled_at: sql`disabled_at = now()`,
        rotated_out_at: sql`rotated_out_at = now()`,
      }[column]
      await owner.execute(sql`update keys set ${set}`)
      now = new Date(END.getTime() - DAY_MS)
      expect(await replica().remind()).toBe(0)
    },
  )

  test('is announced once although many replicas look for it at once', async () => {
    for (let index = 0; index < 40; index += 1) await aKey(`key_${String(index)}`, 365)
    now = new Date(END.getTime() - 7 * DAY_MS)
    const recorded = await Promise.all(Array.from({ length: 8 }, () => replica().remind()))
    const rest = await replica().remind()
    expect(recorded.reduce((sum, count) => sum + count, rest)).toBe(40)
    const events = await owner.many(
      z.object({ subject_id: z.string() }),
      sql`select subject_id from audit_events where event_type = 'key_expiring'`,
    )
    expect(new Set(events.map((event) => event.subject_id)).size).toBe(40)
    expect(events).toHaveLength(40)
  })
})

function replica(): KeyRemindersService {
  const options = { now: () => now, maxDays: undefined }
  return new KeyRemindersService(database, new AuditService(database, options), options)
}

async function aKey(id: string, days: number): Promise<void> {
  const createdAt = new Date(END.getTime() - days * DAY_MS)
  await owner.execute(sql`
    insert into keys (id, owner_id, name, hint, secret_hash, scopes, created_at, expires_at)
    values (${id}, 'usr_1', 'A key', 'abcd', sha256(${id}::text::bytea), '{read}', ${createdAt}, ${END})`)
}

async function lastDays(): Promise<number | undefined> {
  const row = await owner.maybeOne(
    z.object({ days: z.int() }),
    sql`
      select (additional_data -> 'days_ahead')::int as days
      from audit_events
      order by id desc
      limit 1`,
  )
  return row?.days
}
