import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { protoPath } from 'grpc-health-check'
import { loadSync } from '@grpc/proto-loader'
import { z } from 'zod'
import { ADMIN_KEY, failure, Harness, unary } from './harness.js'

const ALL = ['', 'olytix.identity.v1.AuthorizationService', 'olytix.identity.v1.KeyService']

interface Answer {
  readonly status: string
}

interface HealthClient {
  check(
    request: { service: string },
    done: (error: ServiceError | null, answer: Answer) => void,
  ): void
  watch(request: { service: string }): ClientReadableStream<Answer>
  close(): void
}

const healthConstructor = z
  .object({
    grpc: z.object({
      health: z.object({
        v1: z.object({
          Health: z.custom<new (address: string, channel: unknown) => HealthClient>(),
        }),
      }),
    }),
  })
  .parse(loadPackageDefinition(loadSync(protoPath, { enums: String }))).grpc.health.v1.Health

let identity: Harness
let client: HealthClient

beforeEach(async () => {
  identity = await Harness.start()
  client = new healthConstructor(identity.address, credentials.createInsecure())
})

afterEach(async () => {
  client.close()
  await identity.end()
})

describe('health', () => {
  test('is SERVING as soon as the service listens, for the server and each service', async () => {
    for (const service of ALL) expect(await check(service)).toBe('SERVING')
    expect((await failure(check('olytix.identity.v1.Nothing'))).code).toBe(status.NOT_FOUND)
  })

  test('is NOT_SERVING while the database is away; questions fail, none is denied', async () => {
    identity.proxy.cut()
    const error = await failure(identity.authorize({ credential: ADMIN_KEY }))
    expect(error.code).toBe(status.UNAVAILABLE)
    expect(error.details).not.toMatch(/ECONN|pg|terminat/i)
    for (const service of ALL) await until(service, 'NOT_SERVING')
    expect((await failure(identity.createKey())).code).toBe(status.UNAVAILABLE)
    identity.proxy.restore()
    await until('', 'SERVING')
    expect((await identity.authorize({ credential: ADMIN_KEY })).decision).toBe('DECISION_ALLOW')
  })

  test('tells its watchers when a shutdown begins, and ends their streams', async () => {
    const seen: string[] = []
    const watch = client.watch({ service: '' })
    const ended = new Promise<void>((resolve) => {
      watch.on('data', (answer: Answer) => seen.push(answer.status))
      watch.on('end', resolve)
      watch.on('error', () => {
        resolve()
      })
    })
    await poll(() => Promise.resolve(seen.length > 0))
    await identity.stop()
    await ended
    expect(seen).toEqual(['SERVING', 'NOT_SERVING'])
  })
})

describe('a shutdown', () => {
  test('answers every call that was accepted', async () => {
    const calls = Array.from({ length: 50 }, () => identity.authorize({ credential: ADMIN_KEY }))
    await Promise.race(calls)
    const [results] = await Promise.all([Promise.allSettled(calls), identity.stop()])
    for (const result of results) {
      const refused = result.status === 'rejected' ? Reflect.get(Object(result.reason), 'code') : 0
      expect([0, status.UNAVAILABLE]).toContain(refused)
    }
    expect(results[0]?.status).toBe('fulfilled')
  })
})

function check(service: string): Promise<string> {
  return unary<Answer>((done) => {
    client.check({ service }, done)
  }).then((answer) => answer.status)
}

function until(service: string, wanted: string): Promise<void> {
  return poll(async () => (await check(service)) === wanted)
}

async function poll(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await isDone())) {
    if (Date.now() > deadline) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
