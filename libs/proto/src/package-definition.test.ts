import { describe, expect, test } from '@jest/globals'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import {
  AuthorizeResponse,
  CreateKeyRequest,
  IDENTITY_PACKAGE,
  IDENTITY_PACKAGE_DEFINITION,
  readFileDescriptorSet,
  UnreadableMessage,
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

describe('a request that cannot be read', () => {
  test.each([
    ['text that is not UTF-8', [0x0a, 0x02, 0xc3, 0x28]],
    ['half a surrogate pair', [0x0a, 0x03, 0xed, 0xa0, 0x80]],
    ['a message cut short', [0x0a, 0x05, 0x61]],
  ])('for %s is known as such', (_what, bytes) => {
    const definition = IDENTITY_PACKAGE_DEFINITION['olytix.identity.v1.KeyService']['CreateKey']
    expect(definition?.requestDeserialize(Buffer.from(bytes))).toBeInstanceOf(UnreadableMessage)
  })

  test('is not one that holds U+FFFD or a byte-order mark', () => {
    const request = CreateKeyRequest.create({ name: '\ufeffa\ufffd' })
    expect(CreateKeyRequest.decode(CreateKeyRequest.encode(request).finish())).toEqual(request)
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
