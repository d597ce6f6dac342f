import { describe, expect, test } from '@jest/globals'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import {
  AuthorizeResponse,
  CreateKeyRequest,
  IDENTITY_PACKAGE,
  IDENTITY_PACKAGE_DEFINITION,
  readFileDescriptorSet,
} from './index.js'

const described = loadFileDescriptorSetFromBuffer(readFileDescriptorSet())
const services = Object.entries(IDENTITY_PACKAGE_DEFINITION)

describe.each(services)('%s', (name, methods) => {
  test('is of the package, and its RPCs are those that the descriptor image names', () => {
    expect(name.startsWith(`${IDENTITY_PACKAGE}.`)).toBe(true)
    expect(Object.keys(methods).sort()).toEqual(Object.keys(described[name] ?? {}).sort())
    for (const [rpc, { path }] of Object.entries(methods)) expect(path).toBe(`/${name}/${rpc}`)
  })

  test('reads back what it writes, also an empty message', () => {
    for (const { requestSerialize, requestDeserialize } of Object.values(methods)) {
      const empty = requestDeserialize(Buffer.alloc(0))
      expect(requestDeserialize(requestSerialize(empty))).toEqual(empty)
    }
  })
})

describe('messages', () => {
  test('keep every field of a key: attributes of each type, limits, lists', () => {
    const request: CreateKeyRequest = {
      name: 'ключ 🔑',
      scopes: ['read', 'write'],
      expiresInDays: 365,
      roles: ['analyst'],
      attributes: {
        region: { stringValue: 'West' },
        level: { numberValue: -2.5 },
        internal: { booleanValue: false },
        regions: { listValue: { values: [{ stringValue: '' }, { numberValue: 0 }] } },
      },
      allowedIps: ['10.0.0.0/8'],
      rateLimit: { requests: 10, perSeconds: 60 },
      description: '',
    }
    expect(CreateKeyRequest.decode(CreateKeyRequest.encode(request).finish())).toEqual(request)
  })

  test('keep moments to the millisecond', () => {
    const expiresAt = new Date('2027-11-24T00:00:00.001Z')
    const answer = AuthorizeResponse.create({ expiresAt })
    expect(AuthorizeResponse.decode(AuthorizeResponse.encode(answer).finish()).expiresAt).toEqual(
      expiresAt,
    )
  })

  test('from a newer service are read, and unknown values of an enum are known as such', () => {
    const decision9 = Buffer.from([0x08, 0x09])
    expect(AuthorizeResponse.decode(decision9).decision).toBe('UNRECOGNIZED')
  })
})
