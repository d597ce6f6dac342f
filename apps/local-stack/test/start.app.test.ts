import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { z } from 'zod'
import { LaunchedStack, makeStateDir, readStackFile, runningPids, until } from './launched-stack.js'

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
    const profile: unknown = JSON.parse(
      await readFile(path.join(state.path, 'profile.json'), 'utf8'),
    )
    expect(profile).toEqual({
      url: description.query_api_url,
      api_key: description.admin_api_key,
    })
  })

  test('is not started a second time in the same folder, and goes on', async () => {
    const description = await launch().ready()
    const second = launch()
    expect(await second.exitCode()).toBe(1)
    expect(second.output).toContain(`A stack runs already in ${state.path}`)
    expect(await statusOf(description.query_api_url, description.admin_api_key)).toBe(200)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves nothing running after %s, however often it arrives',
    async (signal) => {
      const stack = launch()
      const description = await stack.ready()
      stack.signal(signal)
      stack.signal(signal)
      expect(await stack.exitCode()).toBe(0)
      expect(runningPids(description)).toEqual([])
      expect(await readStackFile(state.path)).toBeUndefined()
      expect(await readdir(state.path)).not.toContain('start.lock')
    },
  )

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

describe('the next start', () => {
  test('finds data, admin and key of the one before', async () => {
    const first = launch()
    const before = await first.ready()
    await withWarehouse(before.warehouse_url, (warehouse) =>
      warehouse.execute(sql`create table public.kept as select 42 as answer`),
    )
    await first.stop()
    const after = await launch({ OLYTIX_BOOTSTRAP__ADMIN_EMAIL: 'late@example.com' }).ready()
    expect(after.admin_api_key).toBe(before.admin_api_key)
    expect(after.admin_email).toBe(before.admin_email)
    expect(await statusOf(after.query_api_url, after.admin_api_key)).toBe(200)
    const Kept = z.object({ answer: z.number() })
    expect(
      await withWarehouse(after.warehouse_url, (warehouse) =>
        warehouse.many(Kept, sql`select answer from public.kept`),
      ),
    ).toEqual([{ answer: 42 }])
  })

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
  test.each(['OLYTIX_HTTP__PORT', 'OLYTIX_IDENTITY__PORT'])(
    'says which port is taken and that %s changes it, before anything is started',
    async (variable) => {
      const squatter = createServer()
      await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
      const address = squatter.address()
      const port = typeof address === 'object' ? String(address?.port) : ''
      const stack = launch({ [variable]: port })
      expect(await stack.exitCode()).toBe(1)
      expect(stack.output).toContain(`Port ${port} of 127.0.0.1 is taken`)
      expect(stack.output).toContain(`Set ${variable}`)
      expect(await readdir(state.path)).toEqual([])
      await new Promise((resolve) => squatter.close(resolve))
    },
  )

  test('shows the end of the log of the service that refused, and stops the rest', async () => {
    const stack = launch({ OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'short' })
    expect(await stack.exitCode()).toBe(1)
    expect(stack.output).toContain('identity did not start')
    expect(stack.output).toContain('OLYTIX_BOOTSTRAP__ADMIN_PASSWORD')
    expect(await readStackFile(state.path)).toBeUndefined()
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

async function statusOf(url: string, apiKey: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/query?metrics=monthly_revenue`, {
    headers: { authorization: `Bearer ${apiKey}` },
  })
  return answer.status
}

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777
}

async function withWarehouse<T>(
  url: string,
  work: (warehouse: Database) => Promise<T>,
): Promise<T> {
  const warehouse = new Database({ url, maxConnections: 1 })
  try {
    return await work(warehouse)
  } finally {
    await warehouse.close()
  }
}
