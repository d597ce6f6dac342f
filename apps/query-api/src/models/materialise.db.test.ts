import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, ident, sql, trusted } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { type BuilderDatabase, startBuilderDatabase } from '../../test/builder-database.js'
import { BuildRecords } from './build-records.js'
import { type Build, buildTarget } from './materialise.js'
import type { StepContext } from './run-step.js'

let warehouse: BuilderDatabase
let records: TestDatabase
let service: Database
let builds: BuildRecords

beforeAll(async () => {
  const migrations = fileURLToPath(new URL('../../migrations', import.meta.url))
  records = await createTestDatabase({ migrations, serviceRole: 'olytix_query' })
  service = new Database({ url: records.url })
  builds = new BuildRecords(service, 0)
  warehouse = await startBuilderDatabase(`
    create table raw.orders (id int primary key, tenant text, amount numeric, day date);
    insert into raw.orders values
      (1, 'a', 10, '2024-01-01'), (2, 'a', 20, '2024-01-02'), (3, 'b', 1000000000000, '2024-01-03');
  `)
})

afterAll(async () => {
  await service.close()
  await records.drop()
  await warehouse.stop()
})

const ALL = 'select id, tenant, amount, day from raw.orders'

function aBuild(name: string, build: Partial<Build> = {}): Build {
  const target = { schema: 'models', table: name }
  const lineage = { tables: [], columns: [], stars: [], rest: [], rows: [] }
  const what = `model ${name}`
  return { what, project: 'shop', target, kind: 'table', select: ALL, lineage, ...build }
}

let runs = 0

/** Each call is another run. */
function run(build: Build, context: Partial<StepContext> = {}) {
  const runId = `run_${String((runs += 1))}`
  const { builder } = warehouse
  const { signal } = new AbortController()
  return buildTarget({ builder, builds, runId, isFullRefresh: false, signal, ...context }, build)
}

function rowsOf(table: string): Promise<readonly { id: number }[]> {
  const row = z.object({ id: z.number() })
  return warehouse.reader.many(row, sql`select id from models.${ident(table)} order by id`)
}

const ids = async (table: string): Promise<number[]> => (await rowsOf(table)).map(({ id }) => id)

describe('a table', () => {
  test('is made with its schema, counted, and open to who reads by default', async () => {
    expect(await run(aBuild('fresh'))).toEqual({ rows: 3 })
    expect(await ids('fresh')).toEqual([1, 2, 3])
  })

  test('keeps grants, both flags of row security, policies, indexes, triggers and views over builds', async () => {
    const { asBuilder, owner, readerRole, reader } = warehouse
    await run(aBuild('kept'))
    const reads = ident(readerRole)
    for (const statement of [
      sql`revoke all on models.kept from ${reads}`,
      sql`grant select (id, tenant) on models.kept to ${reads}`,
      sql`alter table models.kept enable row level security`,
      sql`alter table models.kept force row level security`,
      sql`create policy kept__a on models.kept for select to ${reads} using (tenant = 'a')`,
      sql`create policy kept__nobody on models.kept as restrictive for delete using (false)`,
      sql`create unique index kept__id on models.kept (id)`,
      sql`create view models.over_kept with (security_invoker = true) as select id from models.kept`,
      sql`comment on column models.kept.tenant is 'whose it is'`,
      sql`alter table models.kept set (fillfactor = 50)`,
    ]) {
      await asBuilder.execute(statement)
    }
    const before = await rightsOf('kept')
    expect(before).toMatchObject({ enabled: true, forced: true, policies: 2, indexes: 1 })
    await owner.execute(sql`insert into raw.orders values (4, 'a', 40, '2024-01-04')`)
    expect(await run(aBuild('kept'))).toEqual({ rows: 4 })
    expect(await rightsOf('kept')).toEqual(before)
    expect(await ids('kept')).toEqual([1, 2, 4])
    expect(await ids('over_kept')).toEqual([1, 2, 4])
    await expect(reader.execute(sql`select amount from models.kept`)).rejects.toMatchObject({
      code: '42501',
    })
    await owner.execute(sql`delete from raw.orders where id = 4`)
    expect(await run(aBuild('kept'))).toEqual({ rows: 3 })
    expect(await ids('kept')).toEqual([1, 2])
  })

  test('is never seen half built, empty, or without its policy, by who reads all the while', async () => {
    const { asBuilder, reader, readerRole } = warehouse
    await run(aBuild('watched'))
    await asBuilder.execute(sql`alter table models.watched enable row level security`)
    await asBuilder.execute(
      sql`create policy a on models.watched to ${ident(readerRole)} using (tenant = 'a')`,
    )
    const seen = new Set<string>()
    let isOver = false
    const watch = async (): Promise<void> => {
      while (!isOver) {
        const row = await reader.maybeOne(
          z.object({ seen: z.string() }),
          sql`select string_agg(tenant, '' order by id) as seen from models.watched`,
        )
        seen.add(row?.seen ?? 'nothing')
      }
    }
    const watching = Promise.all([watch(), watch(), watch()])
    for (let build = 0; build < 15; build += 1) await run(aBuild('watched'))
    await run(aBuild('watched', { select: `${ALL} where id <> 99`, kind: 'table' }))
    isOver = true
    await watching
    expect([...seen]).toEqual(['aa'])
  })

  test('takes on other columns without losing its policy', async () => {
    await run(aBuild('changing'))
    await warehouse.asBuilder.execute(sql`alter table models.changing enable row level security`)
    await warehouse.asBuilder.execute(sql`create policy a on models.changing using (tenant = 'a')`)
    const select = `select id::bigint, tenant, 'x'::text as more from raw.orders`
    expect(await run(aBuild('changing', { select }))).toEqual({ rows: 3 })
    const row = z.object({ more: z.string() })
    expect(await warehouse.reader.many(row, sql`select more from models.changing`)).toEqual([
      { more: 'x' },
      { more: 'x' },
    ])
  })

  test('whose policy needs a column that is to go stays as it is', async () => {
    await run(aBuild('needed'))
    await warehouse.asBuilder.execute(sql`alter table models.needed enable row level security`)
    await warehouse.asBuilder.execute(sql`create policy a on models.needed using (tenant = 'a')`)
    const select = 'select id from raw.orders'
    await expect(run(aBuild('needed', { select }))).rejects.toMatchObject({ code: '2BP01' })
    expect(await ids('needed')).toEqual([1, 2])
  })

  test('stays as it is when its SELECT fails for a row', async () => {
    await run(aBuild('failing'))
    const select = `${ALL} where 1 / (amount - 20) > -1`
    await expect(run(aBuild('failing', { select }))).rejects.toMatchObject({ code: '22012' })
    expect(await ids('failing')).toEqual([1, 2, 3])
  })

  test('is built once in a run, also by two processes at the same time', async () => {
    const both = await Promise.all([
      run(aBuild('once'), { runId: 'run_same' }),
      run(aBuild('once'), { runId: 'run_same' }),
    ])
    expect(both).toContainEqual({ rows: 3 })
    expect(both).toContainEqual({ rows: 3, message: 'built already in this run' })
  })

  test('is given up at once when its run is interrupted', async () => {
    const ending = new AbortController()
    const select = 'select 1 as id from pg_sleep(30)'
    const building = run(aBuild('slow', { select }), { signal: ending.signal })
    const isRunning = sql`select from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()`
    while ((await warehouse.asBuilder.execute(isRunning)) === 0);
    ending.abort(new Error('interrupted'))
    await expect(building).rejects.toMatchObject({ code: '57014' })
    expect(
      await warehouse.asBuilder.execute(sql`select from pg_class where relname = 'slow'`),
    ).toBe(0)
  })
})

describe('what a table was built from', () => {
  const from = (column: string) => ({
    tables: [],
    columns: [{ name: 'id', from: [{ schema: 'raw', table: 'orders', column }] }],
    stars: [],
    rest: [],
    rows: [],
  })
  const recorded = async (table: string) =>
    (await builds.list()).find((each) => each.table === table)?.lineages ?? []

  test('is recorded before anybody can read it, also when the build then fails', async () => {
    await expect(
      run(aBuild('recorded', { select: 'select 1 / 0 as id', lineage: from('amount') })),
    ).rejects.toMatchObject({ code: '22012' })
    expect(await recorded('recorded')).toEqual([from('amount')])
  })

  test('counts until a full build has replaced its rows; an increment adds to it', async () => {
    const select = 'select id from raw.orders'
    const increment = { select, strategy: 'append', uniqueKey: [] } as const
    const first = aBuild('mixed', { select, increment, lineage: from('amount') })
    await run(first)
    await run({ ...first, lineage: from('id') })
    expect(await recorded('mixed')).toEqual(expect.arrayContaining([from('amount'), from('id')]))
    await run({ ...first, lineage: from('id') }, { isFullRefresh: true })
    expect(await recorded('mixed')).toEqual([from('id')])
  })

  test('is settled before the commit, and raises the number that replicas follow', async () => {
    const before = await builds.count()
    const slow = new BuildRecords(service, 400)
    const startedAt = performance.now()
    await run(aBuild('settled', { lineage: from('day') }), { builds: slow })
    expect(performance.now() - startedAt).toBeGreaterThan(399)
    expect(await builds.count()).toBe(before + 2)
    const againAt = performance.now()
    await run(aBuild('settled', { lineage: from('day') }), { builds: slow })
    expect(performance.now() - againAt).toBeLessThan(399)
  })
})

describe('what is not ours', () => {
  test.each([
    ['a table of somebody else', sql`create table raw.mine as select 1 as id`, 'raw', 'mine'],
    ['a view of somebody else', sql`create view raw.mine_too as select 1 as id`, 'raw', 'mine_too'],
  ])('%s is never replaced', async (_, statement, schema, table) => {
    await warehouse.owner.execute(statement)
    const target = { schema, table }
    await expect(run(aBuild('other', { target }))).rejects.toThrow('is not ours to replace')
    await expect(run(aBuild('other', { target, kind: 'view' }))).rejects.toThrow('not ours')
  })

  test('a table of the same role without our comment is never replaced', async () => {
    await run(aBuild('fresh_schema'))
    await warehouse.asBuilder.execute(sql`create table models.by_hand as select 1 as id`)
    await expect(run(aBuild('by_hand'))).rejects.toThrow('is not ours to replace')
  })

  test('a table of another project is never replaced', async () => {
    await run(aBuild('shared'))
    await expect(run(aBuild('shared', { project: 'other' }))).rejects.toThrow(
      'models.shared belongs to the project shop',
    )
  })

  test('nothing is made in a schema of somebody else', async () => {
    const target = { schema: 'raw', table: 'new' }
    await expect(run(aBuild('new', { target }))).rejects.toMatchObject({ code: '42501' })
  })
})

describe('an increment', () => {
  const CASES = [
    { strategy: 'append', uniqueKey: [], expected: ['1:10', '2:20', '2:21', '4:40'] },
    { strategy: 'delete+insert', uniqueKey: ['id'], expected: ['1:10', '2:21', '4:40'] },
    { strategy: 'merge', uniqueKey: ['id'], expected: ['1:10', '2:21', '4:40'] },
  ] as const

  test.each(CASES)('by $strategy', async ({ strategy, uniqueKey, expected }) => {
    const name = `inc_${strategy.replace('+', '_')}`
    const select = 'select id, amount from raw.orders where id < 3'
    const more = 'select * from (values (2, 21::numeric), (4, 40)) as new (id, amount)'
    const build = aBuild(name, { select, increment: { select: more, strategy, uniqueKey } })
    expect(await run(build)).toEqual({ rows: 2 })
    expect(await run(build)).toEqual({ rows: 2 })
    const row = z.object({ text: z.string() })
    const found = await warehouse.reader.many(
      row,
      sql`select id || ':' || amount as text from models.${ident(name)} order by 1`,
    )
    expect(found.map(({ text }) => text)).toEqual(expected)
    expect(await run(build, { isFullRefresh: true })).toEqual({ rows: 2 })
    expect(await ids(name)).toEqual([1, 2])
  })

  test('is no increment when columns change: everything is built, and that is said', async () => {
    const select = 'select id from raw.orders'
    const increment = { select, strategy: 'append', uniqueKey: [] } as const
    await run(aBuild('widened', { select, increment }))
    const wider = 'select id, tenant from raw.orders'
    expect(
      await run(aBuild('widened', { select: wider, increment: { ...increment, select: wider } })),
    ).toEqual({ rows: 3, message: 'its columns changed, so it was built in full' })
  })

  test('with a key that is null adds nothing', async () => {
    const select = 'select id from raw.orders'
    const increment = {
      select: 'select null::int as id',
      strategy: 'merge',
      uniqueKey: ['id'],
    } as const
    await run(aBuild('keyed', { select, increment }))
    await expect(run(aBuild('keyed', { select, increment }))).rejects.toThrow(
      'no value in its unique_key',
    )
    expect(await ids('keyed')).toEqual([1, 2, 3])
  })
})

describe('a view', () => {
  test('reads as whoever reads it', async () => {
    await warehouse.owner.execute(sql`create table raw.closed as select 1 as id`)
    await warehouse.owner.execute(
      sql`grant select on raw.closed to ${ident(warehouse.database.serviceRole)}`,
    )
    expect(
      await run(aBuild('a_view', { kind: 'view', select: 'select id from raw.closed' })),
    ).toEqual({
      rows: null,
    })
    await expect(ids('a_view')).rejects.toMatchObject({ code: '42501' })
  })

  test('keeps who may read it when its columns change, and becomes a table', async () => {
    await run(aBuild('moving', { kind: 'view' }))
    await warehouse.asBuilder.execute(
      sql`revoke all on models.moving from ${ident(warehouse.readerRole)}`,
    )
    await run(aBuild('moving', { kind: 'view', select: 'select tenant, id from raw.orders' }))
    await expect(ids('moving')).rejects.toMatchObject({ code: '42501' })
    expect(await run(aBuild('moving'))).toEqual({ rows: 3 })
    await expect(ids('moving')).rejects.toMatchObject({ code: '42501' })
  })

  test('takes no place of a table with row security', async () => {
    await run(aBuild('guarded'))
    await warehouse.asBuilder.execute(sql`alter table models.guarded enable row level security`)
    await expect(run(aBuild('guarded', { kind: 'view' }))).rejects.toThrow('has row security')
  })
})

describe('hooks', () => {
  test('run in the transaction of the build', async () => {
    const hooks = {
      pre: [],
      post: ['create index hooked__id on models.hooked (id)', 'select 1 / 0'],
    }
    await expect(run(aBuild('hooked', { hooks }))).rejects.toMatchObject({ code: '22012' })
    await expect(ids('hooked')).rejects.toMatchObject({ code: '42P01' })
    await run(aBuild('hooked', { hooks: { pre: [], post: hooks.post.slice(0, 1) } }))
    expect(await rightsOf('hooked')).toMatchObject({ indexes: 1 })
  })

  test.each([
    'commit',
    'rollback',
    'set role postgres',
    'set session authorization postgres',
    'select 1; select 2',
    'nonsense',
    '',
  ])('%p is refused', async (hook) => {
    await expect(run(aBuild('hooked_badly', { hooks: { pre: [hook], post: [] } }))).rejects.toThrow(
      /^a hook/,
    )
  })
})

describe('the role that builds', () => {
  test.each([
    ['is a superuser', 'superuser'],
    ['may bypass row security', 'bypassrls'],
    ['may make roles', 'createrole'],
  ])('is refused when it %s', async (reason, attribute) => {
    const role = warehouse.database.serviceRole
    await asSuperuser(`alter role ${role} ${attribute}`)
    try {
      await expect(run(aBuild('refused'))).rejects.toThrow(reason)
    } finally {
      await asSuperuser(`alter role ${role} no${attribute}`)
    }
  })

  test('is refused when it belongs to a role of the server', async () => {
    const role = warehouse.database.serviceRole
    await asSuperuser(`grant pg_read_all_data to ${role}`)
    try {
      await expect(run(aBuild('refused'))).rejects.toThrow("PostgreSQL's own")
    } finally {
      await asSuperuser(`revoke pg_read_all_data from ${role}`)
    }
  })
})

async function asSuperuser(statement: string): Promise<void> {
  const database = new Database({ url: process.env['OLYTIX_TEST__DATABASE_URL'] ?? '' })
  await database.execute(trusted(statement))
  await database.close()
}

async function rightsOf(table: string) {
  const row = z.object({
    acl: z.string(),
    columns: z.string().nullable(),
    enabled: z.boolean(),
    forced: z.boolean(),
    options: z.string().nullable(),
    policyText: z.string().nullable(),
    policies: z.number(),
    indexes: z.number(),
  })
  return warehouse.asBuilder.maybeOne(
    row,
    sql`
      select
        c.relacl::text as acl, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
        c.reloptions::text as options,
        (select string_agg(a.attname || coalesce(a.attacl::text, '') || coalesce(col_description(c.oid, a.attnum), ''), ' '
          order by a.attnum) from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0) as columns,
        (select string_agg(p::text, ' ' order by p.oid) from pg_policy as p where p.polrelid = c.oid) as "policyText",
        (select count(*)::int from pg_policy as p where p.polrelid = c.oid) as policies,
        (select count(*)::int from pg_index as i where i.indrelid = c.oid) as indexes
      from pg_class as c
      where c.oid = ${`models.${table}`}::regclass`,
  )
}
