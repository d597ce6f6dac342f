import { fileURLToPath } from 'node:url'
import { Database, sql, trusted } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

let testDatabase: TestDatabase
let service: Database
let owner: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase({ migrations: MIGRATIONS, serviceRole: 'olytix_query' })
  service = new Database({ url: testDatabase.url, maxConnections: 2 })
  owner = new Database({ url: testDatabase.ownerUrl, maxConnections: 1 })
})

afterAll(async () => {
  await service.close()
  await owner.close()
  await testDatabase.drop()
})

const insert = (at: string) => sql`
  insert into audit_events (event_type, timestamp, access_granted)
  values ('data_access', ${at}::timestamptz, true)`

const count = async (): Promise<number | undefined> =>
  (
    await owner.maybeOne(
      z.object({ count: z.number() }),
      sql`select count(*)::int as count from audit_events`,
    )
  )?.count

describe('audit events in the database', () => {
  test.each([
    'update audit_events set user_id = null',
    'delete from audit_events',
    'truncate audit_events',
  ])('the service may not: %s', async (statement) => {
    await service.execute(insert('2026-01-01'))
    await expect(service.execute(trusted(statement))).rejects.toThrow('permission denied')
  })

  test('only events older than 30 days can be pruned, however the function is called', async () => {
    await owner.execute(sql`truncate audit_events`)
    await service.execute(insert('2020-01-01'))
    await service.execute(insert('2020-01-02'))
    await service.execute(
      sql`insert into audit_events (event_type, timestamp, access_granted) values ('data_access', now(), true)`,
    )
    const prune = (olderThan: string) =>
      service.execute(sql`select prune_audit_events(${trusted(olderThan)}, 1)`)
    await expect(prune('now()')).rejects.toThrow('30 days at least')
    await expect(prune(`now() - interval '29 days'`)).rejects.toThrow('30 days at least')
    await prune(`now() - interval '31 days'`)
    expect(await count()).toBe(2)
    await prune(`now() - interval '31 days'`)
    await prune(`now() - interval '31 days'`)
    expect(await count()).toBe(1)
  })
})
