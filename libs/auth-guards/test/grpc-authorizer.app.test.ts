import { credentials, type Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import {
  type AuthorizationServiceServer,
  AuthorizationServiceService,
  AuthorizeResponse,
  Decision,
  DenialReason,
  PrincipalKind,
} from '@olytix/proto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type AuthorizeQuestion, GrpcAuthorizer } from '../src/index.js'

/** What the next call is answered with: a response, a gRPC status, or nothing at all. */
type Script = AuthorizeResponse | { readonly code: status } | 'silence'

const ALLOWED = AuthorizeResponse.create({
  decision: Decision.DECISION_ALLOW,
  principal: { id: 'key_1', kind: PrincipalKind.PRINCIPAL_KIND_API_KEY, email: '', name: 'West' },
  scopes: ['read'],
  roles: ['analyst'],
  rlsContext: {
    userId: 'key_1',
    email: '',
    roles: ['analyst'],
    attributes: {
      region: { stringValue: 'West' },
      tiers: { listValue: { values: [{ stringValue: 'gold' }, { numberValue: 2 }] } },
    },
  },
})

const QUESTION: AuthorizeQuestion = {
  credential: { text: 'olytix-core_key_x', source: 'header' },
  requiredScopes: ['read'],
  resource: 'POST /api/v1/query',
  clientIp: '127.0.0.1',
  requestId: 'request-1',
}

let server: Server
let authorizer: GrpcAuthorizer
let script: Script[] = []
const seen: Metadata[] = []

beforeAll(async () => {
  server = new Server()
  const service: Pick<AuthorizationServiceServer, 'authorize'> = {
    authorize: (call, callback) => {
      seen.push(call.metadata)
      const next = script.shift() ?? 'silence'
      if (next === 'silence') return
      if ('code' in next) callback({ code: next.code, details: 'as told' })
      else callback(null, next)
    },
  }
  server.addService(AuthorizationServiceService, service)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error)
      else resolve(bound)
    })
  })
  authorizer = new GrpcAuthorizer({
    address: `127.0.0.1:${String(port)}`,
    channel: credentials.createInsecure(),
    serviceToken: 'the-shared-secret',
    deadlineMs: 300,
  })
})

afterAll(() => {
  authorizer.close()
  server.forceShutdown()
})

const ask = (...answers: Script[]) => {
  script = answers
  return authorizer.authorize(QUESTION)
}

test('an allow names the principal, typed, frozen all the way down', async () => {
  const verdict = await ask(ALLOWED)
  expect(verdict).toEqual({
    decision: 'allow',
    principal: {
      id: 'key_1',
      kind: 'api_key',
      email: null,
      name: 'West',
      roles: ['analyst'],
      scopes: ['read'],
      attributes: { region: 'West', tiers: ['gold', 2] },
      expiresAt: null,
    },
  })
  if (verdict.decision !== 'allow') throw new Error('not allowed')
  expect(Object.isFrozen(verdict.principal.attributes['tiers'])).toBe(true)
  expect(seen.at(-1)?.get('service-token')).toEqual(['the-shared-secret'])
})

test.each([
  [DenialReason.DENIAL_REASON_UNKNOWN_CREDENTIAL, 'unidentified'],
  [DenialReason.DENIAL_REASON_EXPIRED_CREDENTIAL, 'unidentified'],
  [DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE, 'refused'],
  [DenialReason.DENIAL_REASON_ADDRESS_NOT_ALLOWED, 'refused'],
  [DenialReason.DENIAL_REASON_RATE_LIMITED, 'rate_limited'],
  [DenialReason.UNRECOGNIZED, 'unidentified'],
])('%s is %s', async (denialReason, decision) => {
  const answer = AuthorizeResponse.create({ decision: Decision.DECISION_DENY, denialReason })
  expect((await ask(answer)).decision).toBe(decision)
})

describe('what cannot be decided is UNAVAILABLE, never an answer', () => {
  test.each<[string, Script]>([
    ['silence beyond the deadline', 'silence'],
    ['an internal error', { code: status.INTERNAL }],
    ['a refused service token', { code: status.UNAUTHENTICATED }],
    ['an unknown decision', AuthorizeResponse.create({ decision: Decision.UNRECOGNIZED })],
    ['no decision', AuthorizeResponse.create()],
    ['an allow for nobody', { ...ALLOWED, principal: undefined }],
    ['an allow for an empty id', AuthorizeResponse.create({ ...ALLOWED, principal: { id: '' } })],
    ['an allow without a context', { ...ALLOWED, rlsContext: undefined }],
  ])('%s', async (_what, answer) => {
    await expect(ask(answer)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('UNAVAILABLE is tried once more, and only once', async () => {
    expect((await ask({ code: status.UNAVAILABLE }, ALLOWED)).decision).toBe('allow')
    await expect(
      ask({ code: status.UNAVAILABLE }, { code: status.UNAVAILABLE }, ALLOWED),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
