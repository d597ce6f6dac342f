import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Database, ident, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { isWholeRowFunction } from '../src/project/whole-row.js'

let created: TestDatabase
let database: Database
beforeAll(async () => {
  created = await createTestDatabase()
  database = new Database({ url: created.ownerUrl })
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

const IN_BYTES = Buffer.from('secret').toString('hex')

/** What `o.<name>` gives for a row that has no such column; nothing when PostgreSQL refuses it. */
async function asColumn(name: string): Promise<string> {
  try {
    const shown = await database.maybeOne(
      z.object({ shown: z.string() }),
      sql`select ${ident('o', name)}::text as "shown" from (select 'secret' as a) as o`,
    )
    return shown?.shown ?? ''
  } catch {
    return ''
  }
}

test('every function of PostgreSQL that would show a row as if it were its column is known', async () => {
  const names = await database.many(
    z.object({ proname: z.string() }),
    // A row is taken by pseudo-types alone: record, "any", anyelement and their kin.
    sql`
      select distinct p.proname from pg_proc as p join pg_type as t on t.oid = p.proargtypes[0]
      where p.pronamespace = 'pg_catalog'::regnamespace and t.typtype = 'p'`,
  )
  const showing: string[] = []
  for (const { proname } of names) {
    const shown = await asColumn(proname)
    if (shown.includes('secret') || shown.includes(IN_BYTES)) showing.push(proname)
  }
  expect(showing).toContain('to_jsonb')
  expect(showing.filter((name) => !isWholeRowFunction(name))).toEqual([])
})
