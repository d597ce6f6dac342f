import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, sql } from '@olytix/postgres'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseQuestion } from '../src/http/query.schemas.js'
import { runQuery } from '../src/query/run-query.js'
import { toJsonRows } from '../src/results/json-rows.js'
import { Warehouse } from '../src/warehouse/warehouse.js'
import { type SmallProject, startSmallProject } from './small-project.js'

let small: SmallProject
let warehouse: Warehouse
let owner: Database
let now = 1

/** `at` differs each time that the database is asked; `who` is whom the database believes to be asking. */
const VIEW = `select id, region, current_setting('olytix.user_id', true) as who, clock_timestamp()::text as at from raw.rows`
const CUBE = (name: string, refresh: string): string => `
  - name: ${name}
    sql_table: raw.seen
    ${refresh}
    measures: [{name: count, type: count}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: who, type: string}
      - {name: at, type: string}
    joins: [{name: fickle, relationship: many_to_one, sql: "{CUBE}.id = {fickle}.id"}]`
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.rows (id int, region text);
      insert into raw.rows values (1, 'West'), (2, 'East'), (3, 'West');
      create view raw.seen as ${VIEW};
      create table raw.fickle (id int, owner text);
      insert into raw.fickle values (1, null), (2, null), (3, null);`,
    tables: ['seen', 'fickle'],
    cubes: `${CUBE('kept', 'refresh_key: {every: 10 minutes}')}${CUBE('fresh', '')}
  - {name: fickle, sql_table: raw.fickle, dimensions: [{name: id, type: number}, {name: owner, type: string}]}`,
    policies: `
  - {name: own, cube: kept, roles: [a], filter: region = $user.region}
  - {name: all, cube: kept, roles: [b]}
  - {name: by_owner, cube: kept, roles: [c], filter: fickle.owner is null}
  - {name: fresh_all, cube: fresh, roles: ["*"]}
  - {name: fickle_all, cube: fickle, roles: ["*"]}`,
  })
  warehouse = new Warehouse({ url: small.database.url, maxConnections: 4, now: () => now })
  owner = new Database({ url: small.database.ownerUrl })
})
afterAll(async () => {
  await warehouse.close()
  await owner.close()
  await small.stop()
})

const west = aPrincipal({ id: 'usr_west', roles: ['a'], attributes: { region: 'West' } })
const all = aPrincipal({ id: 'usr_all', roles: ['b'] })
const times = { dimensions: ['kept.id', 'kept.at'] }

async function ask(
  principal: Principal,
  body: object,
  project = small.project,
): Promise<{ data: string; isKept: boolean }> {
  const { plan, rows, isKept } = await runQuery(project, warehouse, principal, parseQuestion(body))
  return { data: toJsonRows(rows, [...plan.dimensions, ...plan.metrics]), isKept }
}

describe('an answer is given again', () => {
  test('for as long as the refresh_key of its cube says, counted from when it was read', async () => {
    const first = await ask(all, times)
    now += 9.9 * 60_000
    expect(await ask(all, times)).toEqual({ data: first.data, isKept: true })
    now += 0.2 * 60_000
    const later = await ask(all, times)
    expect(later.isKept).toBe(false)
    expect(later.data).not.toBe(first.data)
  })

  test('not to who says cache: bypass', async () => {
    const first = await ask(all, times)
    const bypass = await ask(all, { ...times, cache: 'bypass' })
    expect(bypass.isKept).toBe(false)
    expect(bypass.data).not.toBe(first.data)
  })

  test('not under another revision of the definitions', async () => {
    const first = await ask(all, times)
    const next = await ask(all, times, { ...small.project })
    expect(next.isKept).toBe(false)
    expect(next.data).not.toBe(first.data)
  })

  test.each([
    ['a cube without refresh_key', all, { dimensions: ['fresh.id', 'fresh.at'] }],
    ['a joined cube without one', all, { dimensions: ['kept.at', 'fickle.owner'] }],
    ['a policy that looks at other rows', aPrincipal({ roles: ['c'] }), times],
    ['another time zone', all, { ...times, timezone: 'Europe/Berlin' }],
    ['another limit', all, { ...times, limit: 2 }],
  ])('not where it depends on %s', async (_, principal, body) => {
    await ask(all, times)
    const first = await ask(principal, { ...body, cache: 'bypass' })
    expect((await ask(principal, body)).data).not.toBe(first.data)
  })
})

describe('nobody is given what was read for another', () => {
  test('although the statement and its values are the same', async () => {
    const body = { dimensions: ['kept.who'] }
    const [mine, theirs] = [all, aPrincipal({ ...all, id: 'usr_other' })]
    expect((await ask(mine, body)).data).toBe('[{"kept.who":"usr_all"}]')
    expect((await ask(theirs, body)).data).toBe('[{"kept.who":"usr_other"}]')
    expect(await ask(mine, body)).toEqual({ data: '[{"kept.who":"usr_all"}]', isKept: true })
  })

  test('and what is kept is what a fresh look gives, for each of them, in any order and at once', async () => {
    const principals = [west, all, aPrincipal({ ...west, attributes: { region: 'East' } })]
    const bodies = [
      { dimensions: ['kept.id'] },
      { metrics: ['kept.count'], dimensions: ['kept.region'] },
      {
        metrics: ['kept.count'],
        filters: [{ dimension: 'kept.region', operator: 'equals', value: 'West' }],
      },
      {
        metrics: ['kept.count'],
        filters: [{ dimension: 'kept.region', operator: 'equals', value: 'East' }],
      },
    ]
    const pairs = principals.flatMap((who) => bodies.map((body) => ({ who, body })))
    const asked = [...pairs, ...pairs.toReversed(), ...pairs]
    const given = await Promise.all(asked.map(({ who, body }) => ask(who, body)))
    for (const [index, { who, body }] of asked.entries()) {
      expect(given[index]?.data).toBe((await ask(who, { ...body, cache: 'bypass' })).data)
    }
    expect(given.filter(({ isKept }) => isKept).length).toBeGreaterThanOrEqual(2 * pairs.length)
  })
})

test('a hundred equal questions at once are one statement', async () => {
  now += 60 * 60_000
  const given = await Promise.all(Array.from({ length: 100 }, () => ask(all, times)))
  expect(new Set(given.map(({ data }) => data)).size).toBe(1)
  expect(given.filter(({ isKept }) => !isKept)).toHaveLength(1)
})

test('an error is not kept', async () => {
  now += 60 * 60_000
  await owner.execute(sql`alter view raw.seen rename to hidden`)
  const refused = await Promise.allSettled([ask(all, times), ask(all, times)])
  expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await owner.execute(sql`alter view raw.hidden rename to seen`)
  expect((await ask(all, times)).isKept).toBe(false)
})
