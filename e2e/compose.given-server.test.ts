import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'
import { z } from 'zod'
import { findCompose } from './compose.engine.js'
import { StackProcess } from './harness/stack-process.js'

const Stack = z.object({ query_api_url: z.url(), admin_api_key: z.string() })
const Revenue = z.object({ data: z.array(z.object({ total_revenue: z.number() })) })
jest.setTimeout(300_000)
// The reaper is an image of its own that not every engine can pull; `afterAll` removes the container.
process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'

const engine = await findCompose()
if (!engine) process.stderr.write('\nskipped: no Docker engine answers\n\n')
const withEngine = engine ? describe : describe.skip

withEngine('npm start with OLYTIX_POSTGRES__URL', () => {
  let server: StartedTestContainer | undefined
  let stateDir: string
  let url: string

  beforeAll(async () => {
    server = await new GenericContainer('postgres:18-bookworm')
      .withEnvironment({ POSTGRES_PASSWORD: 'test' })
      .withExposedPorts(5432)
      .withWaitStrategy(Wait.forSuccessfulCommand('pg_isready -q -h 127.0.0.1 -U postgres'))
      .start()
    url = `postgres://postgres:test@${server.getHost()}:${String(server.getMappedPort(5432))}/postgres`
    stateDir = await mkdtemp(path.join(tmpdir(), 'olytix-given-'))
  })

  afterAll(async () => {
    await server?.stop()
    await rm(stateDir, { recursive: true, force: true })
  })

  test('uses that server, makes what is missing there, and finds it again', async () => {
    expect(await revenueOfOneRun()).toBe('2297200.86')
    expect(await revenueOfOneRun()).toBe('2297200.86')
    const databases = await server?.exec([
      'psql',
      '-U',
      'postgres',
      '-Atc',
      'select datname from pg_database',
    ])
    expect(databases?.output.split('\n')).toEqual(
      expect.arrayContaining(['olytix_identity', 'olytix_query', 'olytix_warehouse']),
    )
  })

  async function revenueOfOneRun(): Promise<string> {
    const stack = new StackProcess(stateDir, { OLYTIX_POSTGRES__URL: url })
    try {
      const { query_api_url, admin_api_key } = Stack.parse(await stack.ready())
      const answer = await fetch(`${query_api_url}/api/v1/query`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin_api_key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ metrics: ['total_revenue'] }),
      })
      return Revenue.parse(await answer.json()).data[0]?.total_revenue.toFixed(2) ?? 'no row'
    } finally {
      await stack.stop('SIGINT')
    }
  }
})
