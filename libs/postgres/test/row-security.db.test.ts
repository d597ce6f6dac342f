import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, installRowSecurity, PipelinedReader, trusted } from '../src/index.js'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js'

let database: TestDatabase
let owner: Database
let reader: PipelinedReader

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Database({ url: database.ownerUrl })
  await installRowSecurity(owner)
  await installRowSecurity(owner)
  reader = new PipelinedReader({ url: database.url, maxConnections: 1, acquireTimeoutMs: 2000 })
})

afterAll(async () => {
  await Promise.all([reader.close(), owner.close()])
  await database.drop()
})

async function ask(call: string, settings: Readonly<Record<string, string>>) {
  const { rows } = await reader.read({ text: `select olytix.${call}`, values: [] }, settings)
  return rows[0]?.[0]
}

const EVERYTHING = {
  'olytix.user_id': 'usr_1',
  'olytix.user_email': 'ann@x.org',
  'olytix.roles': '["analyst","it\'s"]',
  'olytix.attributes.region': 'West',
  'olytix.attributes.regions': '["West", "a,b\\"{}", 5]',
  'olytix.attributes.none': '[]',
}

const CALLS: readonly [call: string, expected: string][] = [
  ['user_id()', 'usr_1'],
  ['user_email()', 'ann@x.org'],
  ['user_roles()', "{analyst,it's}"],
  [`user_has_role('analyst')`, 't'],
  [`user_has_role('boss')`, 'f'],
  ['user_has_role(null)', 'f'],
  [`user_attribute('region')`, 'West'],
  [`user_attribute_list('regions')`, '{West,"a,b\\"{}",5}'],
  [`user_attribute_list('none')`, '{}'],
]

describe('the functions of row security', () => {
  test.each(CALLS)('%s on a connection that nobody has used yet is refused', async (call) => {
    const fresh = new PipelinedReader({
      url: database.url,
      maxConnections: 1,
      acquireTimeoutMs: 2000,
    })
    await expect(
      fresh.read({ text: `select olytix.${call}`, values: [] }, {}),
    ).rejects.toMatchObject({ code: 'OLX01' })
    await fresh.close()
  })

  test.each(CALLS)(
    '%s tells of this transaction, and nothing of the one before',
    async (call, expected) => {
      expect(await ask(call, EVERYTHING)).toBe(expected)
      await expect(ask(call, {})).rejects.toMatchObject({ code: 'OLX01' })
    },
  )

  test.each([
    [`user_attribute('region')`, { 'olytix.attributes.region': '' }],
    [`user_attribute('region')`, { 'olytix.attributes.regions': 'West' }],
    [`user_attribute(null)`, EVERYTHING],
    [`user_attribute('')`, EVERYTHING],
    [`user_attribute('regions')`, EVERYTHING],
    [`user_attribute_list('region')`, EVERYTHING],
    [`user_attribute_list(null)`, EVERYTHING],
  ])('%s of %j is missing or of another kind: refused', async (call, settings) => {
    await expect(ask(call, settings)).rejects.toMatchObject({ code: 'OLX01' })
  })

  test('a role that is a part of another is not had', async () => {
    expect(await ask(`user_has_role('analys')`, EVERYTHING)).toBe('f')
    expect(await ask(`user_has_role('it''s')`, EVERYTHING)).toBe('t')
  })

  test('what looks for their names first finds no other function or operator in their stead', async () => {
    await owner.execute(
      trusted(`
      create schema fake;
      grant usage on schema fake to public;
      create function fake.current_setting(text, boolean) returns text language sql as $$ select 'Mallory' $$;
      create function fake.nullif(text, text) returns text language sql as $$ select 'Mallory' $$;
      create function fake.same(text, text) returns boolean language sql as 'select true';
      create operator fake.= (leftarg = text, rightarg = text, function = fake.same);`),
    )
    const settings = { ...EVERYTHING, search_path: 'fake, olytix, pg_catalog' }
    expect(await ask('user_id()', settings)).toBe('usr_1')
    expect(await ask(`user_has_role('boss')`, settings)).toBe('f')
  })

  test('work in parallel workers', async () => {
    await owner.execute(
      trusted(`
      create table many as select g % 4 as part, g::text as text from generate_series(1, 50000) as g;
      alter table many set (parallel_workers = 2);
      alter table many enable row level security;
      create policy many__own on many using (text <> (select olytix.user_id()) and olytix.user_has_role('analyst'));
      grant select on many to public;
      analyze many;`),
    )
    const settings = {
      ...EVERYTHING,
      parallel_setup_cost: '0',
      parallel_tuple_cost: '0',
      min_parallel_table_scan_size: '0',
    }
    const text = 'select count(*) from public.many'
    const plan = await reader.read(
      { text: `explain (analyze, costs off) ${text}`, values: [] },
      settings,
    )
    expect(plan.rows.join('\n')).toMatch(/Workers Launched: [12]/)
    expect((await reader.read({ text, values: [] }, settings)).rows).toEqual([['50000']])
    await expect(reader.read({ text, values: [] }, {})).rejects.toMatchObject({ code: 'OLX01' })
  })
})
