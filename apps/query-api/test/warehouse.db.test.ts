import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, ident, installRowSecurity, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { Warehouse } from '../src/warehouse/warehouse.js'

let database: TestDatabase
let warehouse: Warehouse
const context = { settings: {}, timezone: 'UTC' }
beforeAll(async () => {
  database = await createTestDatabase()
  const owner = new Database({ url: database.ownerUrl })
  await installRowSecurity(owner)
  await addPolicyThatAsks(owner)
  await owner.close()
  warehouse = new Warehouse({ url: database.url, maxConnections: 2 })
})

/** A table with row security that reads an attribute of who asks, as documented. */
async function addPolicyThatAsks(owner: Database): Promise<void> {
  const reader = ident(database.serviceRole)
  await owner.execute(sql`create table regional (region text)`)
  await owner.execute(sql`insert into regional values ('West'), ('East')`)
  await owner.execute(sql`alter table regional enable row level security`)
  await owner.execute(sql`
    create policy regional__by_region on regional for select to ${reader}
    using (region = (select olytix.user_attribute('region')))`)
  await owner.execute(sql`grant select on regional to ${reader}`)
}

afterAll(async () => {
  await warehouse.close()
  await database.drop()
})

describe('an error says what the caller can do, and nothing of the driver', () => {
  test('a statement that takes too long is QUERY_TIMEOUT, and the connection is fit again', async () => {
    const slow = { text: 'select pg_sleep(5)', values: [] }
    await expect(warehouse.read(slow, { ...context, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
      message: 'The query took longer than 50 ms',
    })
    expect((await warehouse.read({ text: 'select 1', values: [] }, context)).rows).toEqual([['1']])
  })

  test('a warehouse that does not answer is UNAVAILABLE', async () => {
    const nowhere = new Warehouse({ url: 'postgres://x:y@127.0.0.1:1/none' })
    await expect(nowhere.checkRole([], true)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await nowhere.close()
  })

  test.each([`select 'secret'::int`, `select 'a' > 1::bigint`, `select now() = true`])(
    '%s does not fit: INVALID_QUERY with a fixed text',
    async (text) => {
      const error: unknown = await warehouse
        .read({ text, values: [] }, context)
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'INVALID_QUERY' })
      expect(String(error)).not.toMatch(/secret|operator|timestamp/)
    },
  )

  test('a table that is not there yet is INVALID_QUERY, and is not named', async () => {
    const early = { text: 'select * from secret', values: [] }
    const error: unknown = await warehouse.read(early, context).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'INVALID_QUERY',
      message:
        'a table that this reads is not in the warehouse yet: run its model, or load its seed, first',
    })
  })

  test('anything else is INTERNAL with a fixed text', async () => {
    const wrong = { text: 'select secret', values: [] }
    const error: unknown = await warehouse.read(wrong, context).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'INTERNAL', message: 'Something went wrong on our side' })
  })

  test('row security of the database that misses an attribute (SQLSTATE OLX01) is FORBIDDEN', async () => {
    const asking = { text: `select region from public.regional`, values: [] }
    const west = { ...context, settings: { 'olytix.attributes.region': 'West' } }
    expect((await warehouse.read(asking, west)).rows).toEqual([['West']])
    await expect(warehouse.read(asking, context)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('a session', () => {
  test('is the same whatever the database defaults to', async () => {
    const { rows } = await warehouse.read(
      {
        text: `select current_setting('search_path'), current_setting('jit'), current_setting('timezone'),
          current_setting('statement_timeout'), current_setting('transaction_read_only'), date '2016-01-31'`,
        values: [],
      },
      { settings: {}, timezone: 'Europe/Berlin', timeoutMs: 1234 },
    )
    expect(rows).toEqual([['pg_catalog', 'off', 'Europe/Berlin', '1234ms', 'on', '2016-01-31']])
  })
})
