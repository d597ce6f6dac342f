import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { startTestServer } from '@olytix/postgres/testing'
import { z } from 'zod'
import { LaunchedStack, makeStateDir, runningPids, until } from './launched-stack.js'

jest.setTimeout(120_000)

let state: Awaited<ReturnType<typeof makeStateDir>>
let started: LaunchedStack[]

beforeEach(async () => {
  state = await makeStateDir()
  started = []
})

afterEach(async () => {
  for (const stack of started) await stack.stop()
  await state.dispose()
})

function launch(environment: NodeJS.ProcessEnv = {}): LaunchedStack {
  const stack = new LaunchedStack(state.path, environment)
  started.push(stack)
  return stack
}

describe('a stack that answers', () => {
  test('describes itself and gives nothing away to other users', async () => {
    const description = await launch().ready()
    expect(await statusOf(description.query_api_url, description.admin_api_key)).toBe(200)
    const files = ['.', 'logs', 'stack.json', 'profile.json', 'secrets.json', 'start.lock']
    const modes = await Promise.all(files.map((file) => modeOf(path.join(state.path, file))))
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600, 0o600, 0o600])
    expect(await readJson('profile.json')).toEqual({
      url: description.query_api_url,
      api_key: description.admin_api_key,
    })
  })

  test('leaves nothing running when its terminal goes away, however often it is told', async () => {
    const stack = launch()
    const description = await stack.ready()
    stack.signal('SIGHUP')
    stack.signal('SIGTERM')
    stack.signal('SIGINT')
    expect(await stack.exitCode()).toBe(0)
    expect(runningPids(description)).toEqual([])
    expect(await readdir(state.path)).not.toContain('stack.json')
    expect(await readdir(state.path)).not.toContain('start.lock')
  })

  test('ends as a whole, with the reason, when one of its services dies', async () => {
    const stack = launch()
    const description = await stack.ready()
    process.kill(description.pids.identity, 'SIGKILL')
    expect(await stack.exitCode()).toBe(1)
    expect(stack.output).toContain('identity ended by SIGKILL unexpectedly')
    expect(stack.output).toContain(path.join(state.path, 'logs/identity.log'))
    expect(runningPids(description)).toEqual([])
  })
})

describe('the warehouse', () => {
  test('lets the query role read what its owner creates in any schema, and nothing else', async () => {
    const { warehouse_url } = await launch().ready()
    await withDatabase(warehouse_url, async (owner) => {
      await owner.execute(sql`create schema later`)
      await owner.execute(sql`create table later.facts as select 42 as answer`)
    })
    await withDatabase(await urlOf(warehouse_url, 'reader'), async (reader) => {
      expect(await reader.execute(sql`select answer from later.facts`)).toBe(1)
      await expect(reader.execute(sql`delete from later.facts`)).rejects.toMatchObject({
        code: '42501',
      })
    })
  })

  test('lets the builder read sources and write only what it owns, which the query role reads', async () => {
    const { warehouse_url } = await launch().ready()
    await withDatabase(await urlOf(warehouse_url, 'builder'), async (builder) => {
      await builder.execute(sql`create schema made`)
      await builder.execute(sql`create table made.orders as select * from raw.orders limit 3`)
      for (const statement of [
        sql`delete from raw.orders`,
        sql`create table raw.mine (a int)`,
        sql`create role another`,
        sql`set role olytix_owner`,
        sql`copy made.orders to program 'cat'`,
      ]) {
        await expect(builder.execute(statement)).rejects.toMatchObject({ code: '42501' })
      }
    })
    await withDatabase(await urlOf(warehouse_url, 'reader'), async (reader) => {
      expect(await reader.execute(sql`select * from made.orders`)).toBe(3)
    })
  })

  test('is the one that the environment names, on the server that it names', async () => {
    const server = await startTestServer()
    try {
      const environment = { OLYTIX_POSTGRES__URL: server.url, OLYTIX_WAREHOUSE__URL: server.url }
      const stack = launch(environment)
      const description = await stack.ready()
      expect(description.pids.postgres).toBe(0)
      expect(description.warehouse_url).toBe(server.url)
      expect(stack.output).toContain('no example is loaded')
      await withDatabase(server.url, async (database) => {
        const made = sql`select from pg_database where datname like 'olytix\\_%'`
        expect(await database.execute(made)).toBe(3)
      })
      await stack.stop()
      expect(stack.output.split('Stopping')[1]).not.toContain('PostgreSQL')
    } finally {
      await server.stop()
    }
  })
})

describe('the next start', () => {
  test('is not hindered by what a killed launcher left behind', async () => {
    const killed = launch()
    const before = await killed.ready()
    const ports = {
      OLYTIX_HTTP__PORT: new URL(before.query_api_url).port,
      OLYTIX_IDENTITY__PORT: new URL(`grpc://${before.identity_address}`).port,
    }
    killed.signal('SIGKILL')
    await killed.exitCode()
    const after = await launch(ports).ready()
    expect(new URL(after.query_api_url).port).toBe(ports.OLYTIX_HTTP__PORT)
    expect(await statusOf(after.query_api_url, after.admin_api_key)).toBe(200)
    await until(() => Promise.resolve(runningPids(before).length === 0 ? true : undefined))
  })
})

describe('a start that cannot succeed', () => {
  test('shows the end of the log of the service that refused, and stops the rest', async () => {
    const stack = launch({ OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'short' })
    expect(await stack.exitCode()).toBe(1)
    expect(stack.output).toContain('identity did not start')
    expect(stack.output).toContain('OLYTIX_BOOTSTRAP__ADMIN_PASSWORD')
    expect(await readdir(state.path)).not.toContain('stack.json')
    const corrected = await launch({
      OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'a rather long pass phrase',
    }).ready()
    expect(corrected.admin_password).toBe('a rather long pass phrase')
  })

  test('names a setting that is not usable', async () => {
    const stack = launch({ OLYTIX_HTTP__PORT: 'eighty' })
    expect(await stack.exitCode()).toBe(1)
    expect(stack.output).toContain('OLYTIX_HTTP__PORT: must be a port')
  })
})

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(path.join(state.path, name), 'utf8'))
}

/** Of the warehouse, for a role of this stack. */
async function urlOf(ownerUrl: string, role: 'reader' | 'builder'): Promise<string> {
  const secrets = z.record(z.string(), z.unknown()).parse(await readJson('secrets.json'))
  const url = new URL(ownerUrl)
  url.username = `olytix_${role}`
  url.password = String(secrets[`${role}Password`])
  return url.href
}

async function statusOf(url: string, apiKey: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/query?metrics=monthly_revenue`, {
    headers: { authorization: `Bearer ${apiKey}` },
  })
  return answer.status
}

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777
}

async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = new Database({ url, maxConnections: 1 })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
