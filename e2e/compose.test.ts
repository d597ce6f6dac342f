import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { z } from 'zod'
import { findCompose, freePort, output, show } from './compose.engine.js'

const Revenue = z.object({ data: z.array(z.object({ monthly_revenue: z.number() })) })
const UP_MS = 30 * 60_000
jest.setTimeout(120_000)

const compose = await findCompose()
if (!compose) process.stderr.write('\nskipped: no Docker engine answers\n\n')
const withEngine = compose ? describe : describe.skip

withEngine('docker compose up', () => {
  const project = `olytix-test-${randomBytes(4).toString('hex')}`
  let url: string
  let environment: NodeJS.ProcessEnv
  let adminKey: string

  beforeAll(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${String(port)}`
    environment = { OLYTIX_HTTP__PORT: String(port) }
    await show(composing('up', '--build', '-d'), environment)
    await untilReady()
    adminKey = (await output(composing('run', '--rm', 'init', 'admin-key'), environment)).trim()
  }, UP_MS)

  afterAll(async () => {
    await show(composing('down', '--volumes', '--remove-orphans', '--timeout', '20'), environment)
  }, 120_000)

  test('the key that init prints asks for monthly revenue: 48 months of the real total', async () => {
    const answer = await fetch(`${url}/api/v1/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ metrics: ['monthly_revenue'] }),
    })
    expect(answer.status).toBe(200)
    const body = Revenue.parse(await answer.json())
    expect(body.data).toHaveLength(48)
    const total = body.data.reduce((sum, { monthly_revenue }) => sum + monthly_revenue, 0)
    expect(total.toFixed(2)).toBe('2297200.86')
  })

  test('init prints the same key again, and without one nothing is answered', async () => {
    expect((await output(composing('run', '--rm', 'init', 'admin-key'), environment)).trim()).toBe(
      adminKey,
    )
    expect((await fetch(`${url}/api/v1/query?metrics=monthly_revenue`)).status).toBe(401)
  })

  test('every container is healthy, and no process in any runs as root', async () => {
    const services = ['postgres', 'identity', 'query-api']
    for (const service of services) {
      const id = await containerOf(service)
      const health = await output(['docker', 'inspect', '-f', '{{.State.Health.Status}}', id])
      expect({ service, health: health.trim() }).toEqual({ service, health: 'healthy' })
      const processes = await output(['docker', 'top', id, '-eo', 'pid,uid'])
      const uids = processes
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/)[1])
      expect(uids.length).toBeGreaterThan(0)
      expect(uids).not.toContain('0')
    }
    const ours = await output(['docker', 'inspect', '-f', '{{.Config.User}}', imageOfOurs()])
    expect(ours.trim()).toBe('node')
  })

  test('only port 8000 is published', async () => {
    const published = await Promise.all(
      ['postgres', 'identity', 'query-api'].map(async (service) => {
        const format =
          '{{range $port, $hosts := .NetworkSettings.Ports}}{{if $hosts}}{{$port}}{{end}}{{end}}'
        return (
          await output(['docker', 'inspect', '-f', format, await containerOf(service)])
        ).trim()
      }),
    )
    expect(published).toEqual(['', '', '8000/tcp'])
  })

  test('each service can read its own secrets and no others, and none is baked in', async () => {
    const list = ['find', '/secrets', '-type', 'f', '-printf', '%m %p\\n']
    const seen = await output(composing('exec', '-T', 'query-api', ...list), environment)
    expect(seen.trim().split('\n').toSorted()).toEqual([
      '600 /secrets/query-api/database-url',
      '600 /secrets/query-api/masking-key',
      '600 /secrets/query-api/models-url',
      '600 /secrets/query-api/owner-url',
      '600 /secrets/query-api/service-token',
      '600 /secrets/query-api/warehouse-url',
    ])
    const token = await output(
      composing('exec', '-T', 'query-api', 'cat', '/secrets/query-api/service-token'),
      environment,
    )
    const described = await output([
      'docker',
      'inspect',
      await containerOf('query-api'),
      imageOfOurs(),
    ])
    expect(token).toHaveLength(43)
    for (const secret of [token, adminKey]) expect(described).not.toContain(secret)
  })

  test('identity answers no service that does not present the token', async () => {
    const script = `
      const { Client, credentials } = require('@grpc/grpc-js')
      const asIs = (bytes) => bytes
      const client = new Client('identity:50051', credentials.createInsecure())
      const path = '/olytix.identity.v1.AuthorizationService/Authorize'
      const deadline = Date.now() + 5000
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), { deadline }, (error) => {
        console.log(error ? error.code : 'answered')
        process.exit()
      })`
    const status = await output(
      composing('exec', '-T', 'query-api', 'node', '-e', script),
      environment,
    )
    const UNAUTHENTICATED = '16'
    expect(status.trim()).toBe(UNAUTHENTICATED)
  })

  function composing(...command: string[]): string[] {
    return [...(compose ?? []), '-p', project, ...command]
  }

  async function containerOf(service: string): Promise<string> {
    return (await output(composing('ps', '-q', service), environment)).trim()
  }

  async function untilReady(): Promise<void> {
    const deadline = Date.now() + 120_000
    while (Date.now() < deadline) {
      // Without a limit of its own, a fetch that the engine's proxy accepts and drops may never settle.
      const signal = AbortSignal.timeout(2000)
      const answer = await fetch(`${url}/health/ready`, { signal }).catch(() => undefined)
      if (answer?.ok) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    await show(composing('logs', '--tail=60'), environment)
    throw new Error(`${url}/health/ready did not answer with 200`)
  }
})

function imageOfOurs(): string {
  return process.env['OLYTIX_IMAGE'] ?? 'olytix-core:local'
}
