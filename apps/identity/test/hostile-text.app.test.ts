import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, credentials, status } from '@grpc/grpc-js'
import { IDENTITY_PACKAGE_DEFINITION } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_KEY, callMetadata, failure, Harness, SERVICE_TOKEN, unary } from './harness.js'

const HOSTILE = ['\0', 'a\0b', '\ud800', '\u202eabc', "' or 1=1 --", 'x'.repeat(1_000_000)]

/** Messages of which everything but the field under attack is in order. */
const SOUND: Readonly<Record<string, object>> = {
  CreateKey: { name: 'Key' },
  CreateUser: { email: 'hostile@example.com', password: 'a phrase of some length' },
  UpdateUser: {
    id: 'usr_000000000000000000000',
    change: { email: 'hostile@example.com', name: 'x', roles: [], attributes: {} },
    updateMask: ['name'],
  },
  PutRole: { name: 'hostile' },
  IssueToken: { username: 'hostile@example.com', password: 'a phrase of some length' },
  ChangePassword: { currentPassword: 'a phrase of some length', newPassword: 'another long one' },
  BeginSignIn: {
    provider: 'corp',
    callbackUrl: 'https://olytix.example/callback',
    loginUrl: 'https://olytix.example/login',
    redirectUri: 'https://app.example/callback',
    codeChallenge: 'A'.repeat(43),
  },
  FinishSignIn: { provider: 'corp', state: 'A'.repeat(43), code: 'A' },
  RedeemCode: { code: `code_${'A'.repeat(43)}`, codeVerifier: 'A'.repeat(43) },
  RedeemPasswordToken: { token: `reset_${'A'.repeat(43)}`, newPassword: 'another long one' },
}

/** Fields that are absent in an empty message. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  CreateUser: ['password'],
  FinishSignIn: ['iss'],
  RevokeKey: ['id', 'secret'],
}

const message = z.looseObject({})
const fields = Object.entries(IDENTITY_PACKAGE_DEFINITION).flatMap(([, methods]) =>
  Object.entries(methods)
    .filter(([, method]) => !method.responseStream)
    .flatMap(([name, method]) => {
      const empty = message.parse(method.requestDeserialize(Buffer.alloc(0)))
      const texts = Object.entries(empty).filter(([, value]) => value === '')
      const all = [...texts.map(([field]) => field), ...(OPTIONAL[name] ?? [])]
      return all.map((field) => ({ name, field, method, empty }))
    }),
)

let identity: Harness
let client: Client

beforeAll(async () => {
  identity = await Harness.start()
  client = new Client(identity.address, credentials.createInsecure())
})

afterAll(async () => {
  client.close()
  await identity.end()
})

describe('hostile text', () => {
  test('is tried in every field that is text', () => {
    expect(fields.length).toBeGreaterThan(25)
  })

  test.each(fields)(
    'in $name.$field is no failure of ours',
    async ({ name, field, method, empty }) => {
      for (const text of HOSTILE) {
        const request = { ...empty, ...SOUND[name], [field]: text }
        const metadata = callMetadata({
          authorization: `Bearer ${ADMIN_KEY}`,
          'service-token': SERVICE_TOKEN,
        })
        const call = unary((done) =>
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize,
            request,
            metadata,
            (error, response: unknown) => {
              done(error, response)
            },
          ),
        )
        const code = await failure(call).then(
          (error) => error.code,
          () => status.OK,
        )
        expect([text.slice(0, 20), status[code]]).not.toEqual([text.slice(0, 20), 'INTERNAL'])
        expect([status.UNKNOWN, status.UNAVAILABLE]).not.toContain(code)
      }
    },
  )

  const firstOf = [...new Map(fields.map((field) => [field.name, field])).values()]

  test.each(firstOf)('in $name, if its bytes are not UTF-8, is refused', async ({ method }) => {
    const metadata = callMetadata({
      authorization: `Bearer ${ADMIN_KEY}`,
      'service-token': SERVICE_TOKEN,
    })
    const error = await failure(
      unary((done) =>
        client.makeUnaryRequest(
          method.path,
          (bytes: Buffer) => bytes,
          method.responseDeserialize,
          Buffer.from([0x0a, 0x02, 0xc3, 0x28, 0x12, 0x02, 0xc3, 0x28]),
          metadata,
          (failed, response: unknown) => {
            done(failed, response)
          },
        ),
      ),
    )
    // What only users may do is refused to a key before anything is read.
    expect([status.INVALID_ARGUMENT, status.PERMISSION_DENIED]).toContain(error.code)
  })
})
