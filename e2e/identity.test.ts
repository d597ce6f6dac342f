import { credentials, Metadata } from '@grpc/grpc-js'
import { afterAll, describe, expect, test } from '@jest/globals'
import {
  AuthorizationServiceClient,
  type AuthorizeResponse,
  CredentialSource,
  Decision,
  DenialReason,
  KeyServiceClient,
} from '@olytix/proto'
import { createKey } from './harness/http.js'
import { stack } from './harness/stack.js'

/** Another service beside query-api, asking identity by itself. */
const address = stack.identity_address ?? ''
const authorization = new AuthorizationServiceClient(address, credentials.createInsecure())
const keys = new KeyServiceClient(address, credentials.createInsecure())
afterAll(() => {
  authorization.close()
  keys.close()
})

function authorize(credential: string, requiredScopes: string[]): Promise<AuthorizeResponse> {
  return new Promise((resolve, reject) => {
    const question = {
      credential,
      source: CredentialSource.CREDENTIAL_SOURCE_HEADER,
      requiredScopes,
      resource: 'e2e',
      clientIp: '127.0.0.1',
      fresh: true,
      requestId: 'e2e-identity',
    }
    authorization.authorize(question, (error, answer) => {
      if (error) reject(error)
      else resolve(answer)
    })
  })
}

describe('Authorize', () => {
  test('names the principal, its scopes, roles and attributes', async () => {
    const { id, key } = await createKey({ roles: ['analyst'], attributes: { region: 'West' } })
    expect(await authorize(key, ['read'])).toMatchObject({
      decision: Decision.DECISION_ALLOW,
      principal: { id, name: 'e2e', email: '' },
      scopes: ['read'],
      roles: ['analyst'],
      rlsContext: { userId: id, attributes: { region: { stringValue: 'West' } } },
    })
  })

  test('denies by an answer, not by an error', async () => {
    expect(await authorize('olytix-core_key_abc123xyz789', ['read'])).toMatchObject({
      decision: Decision.DECISION_DENY,
      denialReason: DenialReason.DENIAL_REASON_MALFORMED_CREDENTIAL,
      principal: undefined,
    })
    const { id, key } = await createKey()
    expect(await authorize(key, ['admin'])).toMatchObject({
      decision: Decision.DECISION_DENY,
      denialReason: DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE,
      principal: { id },
    })
  })
})

describe('KeyService', () => {
  test.each([
    ['without a credential', undefined],
    ['with a key that lacks admin', 'read'],
  ])('refuses a call %s', async (_how, scope) => {
    const metadata = new Metadata()
    if (scope) metadata.set('authorization', `Bearer ${(await createKey()).key}`)
    const refused = new Promise((_resolve, reject) => {
      keys.listKeys({ pageSize: 0, pageToken: '' }, metadata, (error) => {
        reject(error ?? new Error('answered'))
      })
    })
    await expect(refused).rejects.toMatchObject({ code: scope ? 7 : 16 })
  })
})
