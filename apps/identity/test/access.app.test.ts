import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { Controller } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { GrpcMethod } from '@nestjs/microservices'
import { IDENTITY_PACKAGE_DEFINITION } from '@olytix/proto'
import { sql } from '@olytix/postgres'
import { z } from 'zod'
import { AppModule } from '../src/app.module.js'
import { identitySettings } from '../src/config.js'
import { RpcAudit } from '../src/authorize/rpc-audit.js'
import { GrpcServer } from '../src/grpc-server.js'
import {
  ADMIN_KEY,
  as,
  callMetadata,
  failure,
  Harness,
  MASTER_KEY,
  SERVICE_TOKEN,
  unary,
} from './harness.js'

let identity: Harness

/** Every RPC of every service that is defined, by its path. */
const rpcs = Object.entries(IDENTITY_PACKAGE_DEFINITION).flatMap(([service, methods]) =>
  Object.entries(methods).map(([name, method]) => ({
    rpc: `${service.slice(service.lastIndexOf('.') + 1)}.${name}`,
    method,
  })),
)
const EMPTY_MESSAGE = z.looseObject({})
const SERVICE_RPCS = [
  'AuthorizationService.Authorize',
  'AuthorizationService.BatchAuthorize',
  'AuthorizationService.RecordUses',
  'AuthorizationService.WatchInvalidations',
]
/** What needs no credential of its caller: reviewed one by one. */
const PUBLIC_RPCS = [
  'TokenService.IssueToken',
  'TokenService.RefreshToken',
  'TokenService.RevokeToken',
  'TokenService.RedeemPasswordToken',
  'TokenService.GetJwks',
  'OAuthService.ListProviders',
  'OAuthService.BeginSignIn',
  'OAuthService.FinishSignIn',
  'OAuthService.RedeemCode',
]
/** What only a user may do, with a token of a session. */
const USER_RPCS = [
  'TokenService.ChangePassword',
  'TokenService.ListSessions',
  'TokenService.RevokeSession',
]
const guarded = rpcs.filter(({ rpc }) => !PUBLIC_RPCS.includes(rpc))
const managed = guarded.filter(({ rpc }) => !SERVICE_RPCS.includes(rpc))
const forKeys = managed.filter(({ rpc }) => !USER_RPCS.includes(rpc))

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('every RPC', () => {
  test('is served and declares who may call it', async () => {
    const { app, close } = await identityModule()
    try {
      const declared = app.get(RpcAudit, { strict: false }).rpcs()
      const expected = rpcs.map(({ rpc }) => [rpc, expectedAccess(rpc)])
      const access = declared.map(({ rpc, access: declaredAccess }) => [rpc, declaredAccess])
      expect(Object.fromEntries(access)).toEqual(Object.fromEntries(expected))
      expect(declared.map(({ rpc }) => rpc).sort()).toEqual(rpcs.map(({ rpc }) => rpc).sort())
    } finally {
      await close()
    }
  })

  test('that declares nothing stops the start', async () => {
    @Controller()
    class Forgotten {
      @GrpcMethod('KeyService', 'CreateKey')
      createKey(): object {
        return {}
      }
    }
    const { app, close } = await identityModule([Forgotten])
    try {
      await expect(app.listen()).rejects.toThrow(/declare neither.*KeyService\.CreateKey/)
    } finally {
      await close()
    }
  })

  test.each(guarded)('$rpc refuses a call without a credential', async ({ method }) => {
    const before = await rowCounts()
    const error = await failure(call(method, new Metadata()))
    expect([error.code, error.details]).toEqual([
      status.UNAUTHENTICATED,
      'Invalid or missing authentication',
    ])
    expect(await rowCounts()).toEqual(before)
  })

  test.each(managed)('$rpc refuses a key that may only read', async ({ method }) => {
    const { secret } = await identity.createKey({ scopes: ['read', 'write'] })
    const error = await failure(call(method, as(secret)))
    expect([error.code, error.details]).toEqual([
      status.PERMISSION_DENIED,
      'Insufficient permissions for this resource',
    ])
  })

  test.each(managed)(
    '$rpc refuses an admin key that came in a query string',
    async ({ method }) => {
      const error = await failure(
        call(method, fromService({ 'credential-source': 'query_parameter' })),
      )
      expect(error.code).toBe(status.PERMISSION_DENIED)
    },
  )

  test.each(managed)('$rpc refuses what only services may say', async ({ method }) => {
    for (const name of ['client-ip', 'credential-source']) {
      const metadata = as(ADMIN_KEY)
      metadata.set(name, name === 'client-ip' ? '10.0.0.1' : 'header')
      expect((await failure(call(method, metadata))).code).toBe(status.PERMISSION_DENIED)
    }
  })

  test.each(forKeys)(
    '$rpc holds the allow-list of a key against the client',
    async ({ method }) => {
      const { secret } = await identity.createKey({ scopes: ['admin'], allowedIps: ['10.0.0.0/8'] })
      const from = (ip: string): Metadata => fromService({ 'client-ip': ip }, secret)
      expect((await failure(call(method, from('11.0.0.1')))).code).toBe(status.PERMISSION_DENIED)
      const [allowed] = await Promise.allSettled([call(method, from('10.0.0.1'))])
      const code = allowed.status === 'rejected' ? Reflect.get(Object(allowed.reason), 'code') : 0
      expect([0, status.INVALID_ARGUMENT, status.NOT_FOUND]).toContain(code)
    },
  )
})

describe('the credential of a management call', () => {
  test.each([
    [`bearer ${ADMIN_KEY}`, undefined],
    [`BEARER  ${ADMIN_KEY}`, undefined],
    ['Bearer', status.UNAUTHENTICATED],
    ['Bearer ', status.UNAUTHENTICATED],
    [`Basic ${ADMIN_KEY}`, status.UNAUTHENTICATED],
    [`Token ${ADMIN_KEY}`, status.UNAUTHENTICATED],
    [ADMIN_KEY, status.UNAUTHENTICATED],
    [`Bearer ${ADMIN_KEY}, Bearer ${ADMIN_KEY}`, status.UNAUTHENTICATED],
  ])('%#: only one Bearer credential is one', async (authorization, code) => {
    const client = identity.keyClient
    const metadata = callMetadata({ authorization })
    const listed = unary((done) => client.listKeys({ pageSize: 1, pageToken: '' }, metadata, done))
    if (code === undefined) expect(await listed).toHaveProperty('keys')
    else expect((await failure(listed)).code).toBe(code)
  })

  test('is refused alike when it is unknown, expired or revoked', async () => {
    const revoked = await identity.createKey({ scopes: ['admin'] })
    const client = identity.keyClient
    await unary((done) => client.revokeKey({ id: revoked.key?.id }, as(ADMIN_KEY), done))
    const expired = await identity.createKey({ scopes: ['admin'], expiresInDays: 1 })
    await identity.owner.execute(
      sql`update keys set expires_at = ${identity.clock.at} where id = ${expired.key?.id}`,
    )
    for (const secret of [revoked.secret, expired.secret, 'nonsense']) {
      const error = await failure(identity.createKey({}, secret))
      expect([error.code, error.details, error.metadata.get('error-code')]).toEqual([
        status.UNAUTHENTICATED,
        'Invalid or missing authentication',
        ['UNAUTHORIZED'],
      ])
    }
  })
})

function expectedAccess(rpc: string): object {
  if (SERVICE_RPCS.includes(rpc)) return { kind: 'service' }
  if (PUBLIC_RPCS.includes(rpc)) return { kind: 'public' }
  if (USER_RPCS.includes(rpc)) return { kind: 'authenticated', scopes: [], fresh: false }
  return { kind: 'authenticated', scopes: ['admin'] }
}

function fromService(entries: Record<string, string>, secret = ADMIN_KEY): Metadata {
  return callMetadata({
    authorization: `Bearer ${secret}`,
    'service-token': SERVICE_TOKEN,
    ...entries,
  })
}

function call(method: (typeof rpcs)[number]['method'], metadata: Metadata): Promise<unknown> {
  const client = new Client(identity.address, credentials.createInsecure())
  const { path, requestDeserialize, requestSerialize, responseDeserialize } = method
  const empty = EMPTY_MESSAGE.parse(requestDeserialize(Buffer.alloc(0)))
  if (method.responseStream) return firstAnswer(client, method, { message: empty, metadata })
  return unary<unknown>((done) =>
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      empty,
      metadata,
      (error, response: unknown) => {
        done(error, response)
      },
    ),
  ).finally(() => {
    client.close()
  })
}

function firstAnswer(
  client: Client,
  { path, requestSerialize, responseDeserialize }: (typeof rpcs)[number]['method'],
  { message, metadata }: { message: object; metadata: Metadata },
): Promise<unknown> {
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    message,
    metadata,
  )
  return new Promise((resolve, reject) => {
    stream.once('data', resolve)
    stream.once('error', reject)
  }).finally(() => {
    stream.cancel()
    client.close()
  })
}

function rowCounts(): Promise<unknown> {
  return identity.owner.many(
    z.record(z.string(), z.unknown()),
    sql`
      select (select count(*) from keys), (select count(*) from users) as users,
        (select count(*) from audit_events where access_granted) as events`,
  )
}

/** The app, wired as ever but not started, with further controllers. */
async function identityModule(controllers: (new () => object)[] = []) {
  const settings = identitySettings.parse({
    OLYTIX_IDENTITY__PORT: '0',
    OLYTIX_DATABASE__URL: identity.testDatabase.url,
    OLYTIX_SECURITY__MASTER_KEY: MASTER_KEY,
  })
  const module = AppModule.forRoot({
    settings,
    oauth: { redirectUris: [], providers: [] },
    database: identity.owner,
    now: identity.clock.now,
  })
  const app = await NestFactory.createMicroservice(
    { ...module, controllers },
    {
      strategy: new GrpcServer({
        host: '127.0.0.1',
        port: 0,
        reflection: false,
        onServices: () => undefined,
        onClosing: () => undefined,
      }),
      logger: false,
      abortOnError: false,
    },
  )
  return { app, close: () => app.close() }
}
