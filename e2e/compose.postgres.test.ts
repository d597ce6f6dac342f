import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'
import { z } from 'zod'
import { findCompose } from './compose.engine.js'
import { StackProcess } from './harness/stack-process.js'

const PASSWORD = 'of a server for one test'
const START_MS = 300_000
const Description = z.object({
  query_api_url: z.string(),
  warehouse_url: z.string(),
  admin_api_key: z.string(),
  pids: z.object({ postgres: z.number() }),
})

// The helper that clears up after a killed run is an image of its own; `afterAll` does it here.
process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
const withEngine = (await findCompose()) ? describe : describe.skip

withEngine('npm start with a PostgreSQL server of its own choice', () => {
  let server: StartedTestContainer | undefined
  let stateDir: string
  let stack: StackProcess | undefined

  beforeAll(async () => {
    server = await new GenericContainer('postgres:18-bookworm')
      .withEnvironment({ POSTGRES_PASSWORD: PASSWORD })
      .withExposedPorts(5432)
      .withWaitStrategy(Wait.forSuccessfulCommand('pg_isready -h 127.0.0.1 -U postgres'))
      .start()
    stateDir = await mkdtemp(path.join(tmpdir(), 'olytix-e2e-'))
  }, START_MS)

  afterAll(async () => {
    await stack?.stop('SIGTERM')
    await server?.stop()
    await rm(stateDir, { recursive: true, force: true })
  }, START_MS)

  test(
    'makes its databases there, loads the example and answers from it',
    async () => {
      const address = `${String(server?.getHost())}:${String(server?.getMappedPort(5432))}`
      const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@${address}/postgres`
      stack = new StackProcess(stateDir, { OLYTIX_POSTGRES__URL: url })
      const { pids, warehouse_url, ...api } = Description.parse(await stack.ready())
      expect(pids.postgres).toBe(0)
      expect(new URL(warehouse_url).host).toBe(address)
      const answer = await fetch(`${api.query_api_url}/api/v1/query?metrics=total_revenue`, {
        headers: { authorization: `Bearer ${api.admin_api_key}` },
      })
      expect(await answer.text()).toContain('"total_revenue":2297200.8603')
    },
    START_MS,
  )
})
