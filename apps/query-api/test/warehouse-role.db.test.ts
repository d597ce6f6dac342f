import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, ident, type Statement, sql, trusted } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { checkRole } from '../src/warehouse/check-role.js'
import { Warehouse } from '../src/warehouse/warehouse.js'

let database: TestDatabase
let server: Database
let warehouse: Warehouse
const used = (table: string, isPoliced = false) => ({ schema: 'public', table, isPoliced })

const SETUP = `
  create table plain (region text);
  create table policed (region text);
  alter table policed enable row level security;
  create policy policed__all on policed using (true);
  create table forced (region text);
  alter table forced enable row level security;
  alter table forced force row level security;
  create view as_owner as select * from policed;
  create view as_owner_again as select * from as_owner;
  create view as_reader with (security_invoker = on) as select * from policed;
  create view of_as_owner with (security_invoker) as select * from as_owner;
  create view of_forced as select * from forced;
  create view of_plain as select * from plain;
  create materialized view kept as select * from forced;
  create view of_kept with (security_invoker) as select * from kept;
  create table whole (region text) partition by list (region);
  create table part partition of whole for values in ('West');
  create table own_part partition of whole for values in ('East');
  alter table whole enable row level security;
  alter table whole force row level security;
  alter table own_part enable row level security;
  alter table own_part force row level security;
  create function of_owner() returns setof text language sql security definer as 'select region from public.policed';
  create view of_function as select * from of_owner();`

beforeAll(async () => {
  database = await createTestDatabase()
  server = new Database({ url: process.env['OLYTIX_TEST__DATABASE_URL'] ?? '' })
  const owner = new Database({ url: database.ownerUrl })
  await owner.execute(trusted(SETUP))
  await owner.close()
  warehouse = new Warehouse({ url: database.url, maxConnections: 2 })
})

afterAll(async () => {
  await Promise.all([warehouse.close(), server.close()])
  await database.drop()
})

async function checkAs(url: string, tables: ReturnType<typeof used>[], allow = false) {
  const other = new Warehouse({ url, maxConnections: 1 })
  try {
    return await other.checkRole(tables, allow)
  } finally {
    await other.close()
  }
}

describe('a role that row security binds is fine', () => {
  test.each([
    'plain',
    'policed',
    'forced',
    'as_reader',
    'of_forced',
    'of_plain',
    'whole',
    'own_part',
  ])('over %s, without a warning', async (table) => {
    expect(await warehouse.checkRole([used(table)], false)).toEqual([])
  })

  test('where nothing has row security, a mighty role is a warning only', async () => {
    const tables = [used('plain')]
    expect((await checkAs(database.ownerUrl, tables)).join()).toMatch(
      /read as test_\w+, who owns public\.plain$/,
    )
  })
})

describe('a role that row security does not bind is refused, and told of the table', () => {
  test.each(['policed', 'as_reader'])('the owner of %s', async (table) => {
    const refused = checkAs(database.ownerUrl, [used(table, true)])
    await expect(refused).rejects.toThrow(/policed as test_\w+_owner, who owns it/)
  })

  test('not the owner of a table that binds him, too', async () => {
    expect((await checkAs(database.ownerUrl, [used('forced')])).join()).toContain(
      'who owns public.forced',
    )
  })

  test('a member of the owner, a role with BYPASSRLS, and a superuser', async () => {
    const reader = ident(database.serviceRole)
    const owner = ident(new URL(database.ownerUrl).username)
    const check = () => warehouse.checkRole([used('policed', true)], false)
    await server.execute(sql`grant ${owner} to ${reader}`)
    await expect(check()).rejects.toThrow(/policed as \w+, who owns it/)
    await server.execute(sql`revoke ${owner} from ${reader}`)
    await server.execute(sql`alter role ${reader} bypassrls`)
    await expect(check()).rejects.toThrow(/policed as \w+, who is a superuser or bypasses/)
    await server.execute(sql`alter role ${reader} nobypassrls superuser`)
    await expect(check()).rejects.toThrow(/policed as \w+, who is a superuser or bypasses/)
    await server.execute(sql`alter role ${reader} nosuperuser`)
    expect(await check()).toEqual([])
  })

  test('unless that is allowed: then it is warned of', async () => {
    const warnings = await checkAs(database.ownerUrl, [used('policed')], true)
    expect(warnings.join('\n')).toMatch(
      /row security does not hold: public.policed as \w+, who owns it/,
    )
  })
})

describe('a way round row security is refused', () => {
  test.each([
    ['as_owner', /public\.as_owner reads public\.policed as test_\w+_owner, who owns it/],
    ['as_owner_again', /as_owner_again reads public\.policed as/],
    ['of_as_owner', /of_as_owner reads public\.policed as/],
    ['kept', /public\.kept reads public\.forced as \w+, and keeps rows for everybody/],
    ['of_kept', /of_kept reads public\.forced as \w+, and keeps rows/],
    [
      'part',
      /public\.part reads public\.whole as \w+, and is read by its own name, past the policies/,
    ],
  ])('through %s, unless policies of ours close it', async (table, reason) => {
    await expect(warehouse.checkRole([used(table)], false)).rejects.toThrow(reason)
    expect((await warehouse.checkRole([used(table, true)], false)).join()).toMatch(reason)
  })

  test('a function that is SECURITY DEFINER is warned of: nobody can tell what it reads', async () => {
    const warnings = await warehouse.checkRole([used('of_function')], false)
    expect(warnings.join()).toMatch(
      /of_function reads public\.of_owner\(\) as \w+, .* SECURITY DEFINER/,
    )
  })
})

describe('a server whose statistics tell of hidden rows is refused', () => {
  test.each([
    [150013, /PostgreSQL 15\.13 .* 15\.14 does not/],
    [170005, /17\.6 does not/],
    [120022, /18 does not/],
    [150014, undefined],
    [180000, undefined],
  ])('version %d', async (version, refusal) => {
    const read = async (statement: Statement) => {
      const { rows } = await warehouse.read(statement, { settings: {}, timezone: 'UTC' })
      return statement.text.includes('server_version_num')
        ? [['reader', 'f', String(version)]]
        : rows
    }
    const check = checkRole(read, [used('policed')], false)
    await (refusal ? expect(check).rejects.toThrow(refusal) : expect(check).resolves.toEqual([]))
    expect(await checkRole(read, [used('plain')], false)).toEqual([])
  })
})
