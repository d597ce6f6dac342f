import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, sql, sqlState } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { MIGRATIONS } from './harness.js'

let testDatabase: TestDatabase
let owner: Database
let service: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase({
    migrations: MIGRATIONS,
    serviceRole: 'olytix_identity',
  })
  owner = new Database({ url: testDatabase.ownerUrl })
  service = new Database({ url: testDatabase.url })
})

afterAll(async () => {
  await Promise.all([owner.close(), service.close()])
  await testDatabase.drop()
})

describe('every table', () => {
  test('has row security, or says in its comment why it needs none', async () => {
    const tables = await owner.many(
      z.object({ name: z.string(), secured: z.boolean(), comment: z.string().nullable() }),
      sql`
        select relname as name, relrowsecurity and relforcerowsecurity as secured,
          obj_description(oid, 'pg_class') as comment
        from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace
          and relname <> 'schema_migrations'`,
    )
    expect(tables.length).toBeGreaterThan(5)
    const open = tables.filter(
      ({ secured, comment }) => !secured && !comment?.includes('No row security:'),
    )
    expect(open).toEqual([])
  })
})

describe('the role of the service', () => {
  test.each([
    ['update audit_events set user_id = null'],
    ['delete from audit_events'],
    ['truncate audit_events'],
    ['delete from keys'],
    ["update keys set owner_id = 'usr_1'"],
    ["update keys set ancestor_ids = '{}'"],
    ['update keys set expires_at = now()'],
    ['truncate key_usage'],
    ['update keys set secret_hash = secret_hash'],
    ['delete from users'],
    ['delete from identities'],
    ["update identities set subject = 'somebody'"],
    ['update oauth_states set browser_hash = browser_hash'],
    ["update oauth_codes set code_challenge = ''"],
    ["update oauth_codes set user_id = 'usr_1'"],
    ['drop table audit_events'],
    ['create table mine ()'],
    ['select * from schema_migrations'],
    ['alter table keys disable trigger all'],
  ])('may not: %s', async (statement) => {
    const refused = await service.execute(sqlText(statement)).catch((error: unknown) => error)
    expect(sqlState(refused)).toBe('42501')
  })
})

function sqlText(text: string): ReturnType<typeof sql> {
  return sql(Object.assign([text], { raw: [text] }))
}
