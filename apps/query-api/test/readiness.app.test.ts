import { Module } from '@nestjs/common'
import { Database, ident, sql, trusted } from '@olytix/postgres'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { checkWarehouse } from '../src/check-warehouse.js'
import { HealthController, READINESS_CHECKS } from '../src/health/health.http.js'
import { readyIf } from '../src/health/ready-if.js'
import { serveRoutes } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'

let small: SmallProject
let server: Database
let app: { readonly origin: string; readonly close: () => Promise<void> }
let role: string
let ownerRole: string

beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.orders (id int, region text);
      insert into raw.orders values (1, 'West'), (2, 'East');
      alter table raw.orders enable row level security;
      create policy west on raw.orders for select using (region = 'West');`,
    tables: ['orders'],
    cubes: `
  - {name: orders, sql_table: raw.orders, measures: [{name: count, type: count}]}`,
  })
  const { project, warehouse, database } = small
  role = database.serviceRole
  ownerRole = decodeURIComponent(new URL(database.ownerUrl).username)
  server = new Database({
    url: inDatabase(process.env['OLYTIX_TEST__DATABASE_URL'] ?? '', database.url),
  })
  const check = () =>
    checkWarehouse({ OLYTIX_WAREHOUSE__ALLOW_PRIVILEGED_ROLE: false }, project, warehouse)
  @Module({
    controllers: [HealthController],
    providers: [{ provide: READINESS_CHECKS, useValue: [readyIf('warehouse', check)] }],
  })
  class Health {}
  app = await serveRoutes({}, [{ module: Health }])
})
afterAll(async () => {
  await app.close()
  await server.close()
  await small.stop()
})

/** The server's own user, in the database of the project. */
function inDatabase(url: string, other: string): string {
  const result = new URL(url)
  result.pathname = new URL(other).pathname
  return result.href
}

async function ready(): Promise<[number, string]> {
  const response = await fetch(`${app.origin}/health/ready`)
  return [response.status, await response.text()]
}

const run = (statement: string) => server.execute(trusted(statement))

describe('a role that becomes too mighty while the service runs', () => {
  test.each([
    ['a superuser', () => `alter role ${role} superuser`, () => `alter role ${role} nosuperuser`],
    ['BYPASSRLS', () => `alter role ${role} bypassrls`, () => `alter role ${role} nobypassrls`],
    [
      'the owner of a protected table',
      () => `alter table raw.orders owner to ${role}`,
      () => `alter table raw.orders owner to ${ownerRole}`,
    ],
    [
      'a member of its owner',
      () => `grant ${ownerRole} to ${role}`,
      () => `revoke ${ownerRole} from ${role}`,
    ],
  ])('%s: not ready, without a word why, and ready again afterwards', async (_, make, undo) => {
    expect((await ready())[0]).toBe(200)
    await run(make())
    try {
      const [status, text] = await ready()
      expect(status).toBe(503)
      expect(text).not.toMatch(new RegExp(`${role}|orders|superuser|owner`))
    } finally {
      await run(undo())
      await server.execute(sql`grant select on raw.orders to ${ident(role)}`)
    }
    expect((await ready())[0]).toBe(200)
  })
})
