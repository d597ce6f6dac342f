import { afterEach, describe, expect, test } from '@jest/globals'
import { type ClientDuplexStream, credentials, loadPackageDefinition, status } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'
import { failure, Harness } from './harness.js'

const reflectionProto = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json')),
  'build/proto/grpc/reflection/v1/reflection.proto',
)

const answer = z.object({
  list_services_response: z.object({ service: z.array(z.object({ name: z.string() })) }),
})

let identity: Harness

afterEach(() => identity.end())

describe('server reflection', () => {
  test('names our services', async () => {
    identity = await Harness.start()
    const services = await listServices(identity.address)
    expect(services).toEqual(
      expect.arrayContaining([
        'olytix.identity.v1.AuthorizationService',
        'olytix.identity.v1.KeyService',
      ]),
    )
  })

  test('is gone when switched off', async () => {
    identity = await Harness.start({ OLYTIX_IDENTITY__REFLECTION: 'false' })
    expect((await failure(listServices(identity.address))).code).toBe(status.UNIMPLEMENTED)
  })
})

describe('a call', () => {
  test('larger than a megabyte is refused', async () => {
    identity = await Harness.start()
    const error = await failure(identity.authorize({ resource: 'x'.repeat(5 * 1024 * 1024) }))
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED)
  })
})

function listServices(address: string): Promise<string[]> {
  const root = z
    .object({
      grpc: z.object({
        reflection: z.object({
          v1: z.object({
            ServerReflection: z.custom<
              new (
                address: string,
                channel: unknown,
              ) => {
                serverReflectionInfo(): ClientDuplexStream<object, unknown>
                close(): void
              }
            >(),
          }),
        }),
      }),
    })
    .parse(loadPackageDefinition(loadSync(reflectionProto, { keepCase: true })))
  const client = new root.grpc.reflection.v1.ServerReflection(address, credentials.createInsecure())
  const stream = client.serverReflectionInfo()
  return new Promise<string[]>((resolve, reject) => {
    stream.on('data', (message: unknown) => {
      resolve(answer.parse(message).list_services_response.service.map(({ name }) => name))
      stream.end()
    })
    stream.on('error', reject)
    stream.write({ list_services: '' })
  }).finally(() => {
    client.close()
  })
}
