import { Controller, Get, Module, Post } from '@nestjs/common'
import { APP_FILTER, NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { HttpErrorFilter } from '@olytix/errors/nest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  AuthGuardsModule,
  CurrentPrincipal,
  type Principal,
  Public,
  RequireAuthentication,
  RequireScope,
} from '../src/index.js'
import { aPrincipal, FakeAuthorizer } from '../src/testing/index.js'

const KEY = 'a-key-without-dots'
const TOKEN = 'a.token.withdots'
const UNAUTHORIZED =
  '{"error":{"code":"UNAUTHORIZED","message":"Invalid or missing authentication"}}'
const FORBIDDEN =
  '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}'

@Controller()
class Routes {
  @Get('open')
  @Public()
  open() {
    return {}
  }

  @Get('who')
  @RequireAuthentication()
  who(@CurrentPrincipal() principal: Principal) {
    return { id: principal.id }
  }

  @Get('read')
  @RequireScope('read')
  read(@CurrentPrincipal() principal: Principal) {
    return { id: principal.id }
  }

  @Post('admin')
  @RequireScope('admin')
  admin() {
    return {}
  }
}

@Controller()
class Forgotten {
  @Get('forgotten')
  forgotten() {
    return {}
  }
}

let app: NestFastifyApplication
let url: string
const authorizer = new FakeAuthorizer({
  [KEY]: aPrincipal({ id: 'key_1' }),
  [TOKEN]: aPrincipal({ id: 'usr_1', kind: 'user' }),
})

async function start(controllers: (new () => object)[], allowQueryParameter = true) {
  @Module({
    imports: [AuthGuardsModule.forRoot({ authorizer, allowQueryParameter })],
    controllers,
    providers: [{ provide: APP_FILTER, useClass: HttpErrorFilter }],
  })
  class App {}
  const made = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), {
    logger: false,
  })
  await made.listen(0, '127.0.0.1')
  return made
}

beforeAll(async () => {
  app = await start([Routes])
  url = await app.getUrl()
})
beforeEach(() => {
  authorizer.down = false
})
afterAll(() => app.close())

const get = (path: string, authorization?: string) =>
  fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })

describe('200', () => {
  test('a public route needs nothing', async () => {
    expect((await get('/open')).status).toBe(200)
  })

  test.each([KEY, TOKEN])('%s reaches its principal', async (credential) => {
    const response = await get('/read', `Bearer ${credential}`)
    expect(response.status).toBe(200)
    expect(await response.json()).toHaveProperty('id')
  })

  test('a key in the query is answered with no-store', async () => {
    const response = await get(`/read?api_key=${KEY}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(authorizer.questions.at(-1)?.credential.source).toBe('query_parameter')
  })
})

describe('401', () => {
  test('no credential: the documented body, and a challenge without an error', async () => {
    const response = await get('/read')
    expect(response.status).toBe(401)
    expect(await response.text()).toBe(UNAUTHORIZED)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="olytix-core"')
  })

  test('no credential: the authorizer is told, so that the refusal is in the audit trail', async () => {
    const response = await get('/read')
    expect(authorizer.questions.at(-1)).toMatchObject({
      credential: { text: '' },
      requiredScopes: ['read'],
      resource: 'GET /read',
      requestId: response.headers.get('x-request-id') ?? expect.any(String),
    })
  })

  test('no credential: refused, not 503, while the authorizer is away', async () => {
    authorizer.down = true
    try {
      expect((await get('/read')).status).toBe(401)
    } finally {
      authorizer.down = false
    }
  })

  test('an unknown credential: the same body, and invalid_token', async () => {
    const response = await get('/read', 'Bearer nobody')
    expect(await response.text()).toBe(UNAUTHORIZED)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test('a key in the query where that is switched off', async () => {
    const closed = await start([Routes], false)
    const response = await fetch(`${await closed.getUrl()}/read?api_key=${KEY}`)
    expect(response.status).toBe(401)
    expect(authorizer.questions.at(-1)?.credential).toEqual({ text: '', source: 'query_parameter' })
    await closed.close()
  })
})

describe('403', () => {
  test('a missing scope: the documented body, and what would be needed', async () => {
    const response = await fetch(`${url}/admin`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
    })
    expect(response.status).toBe(403)
    expect(await response.text()).toBe(FORBIDDEN)
    expect(response.headers.get('www-authenticate')).toContain(
      'error="insufficient_scope", scope="admin"',
    )
  })
})

describe('400', () => {
  test('a credential in two places is refused, though both are right', async () => {
    expect((await get(`/read?api_key=${KEY}`, `Bearer ${KEY}`)).status).toBe(400)
  })
})

describe('503', () => {
  test('who cannot be judged is turned away as UNAVAILABLE, never as unauthorized', async () => {
    authorizer.down = true
    const response = await get('/read', `Bearer ${KEY}`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ error: { code: 'UNAVAILABLE' } })
  })
})

test('an app with a route that declares no access does not start', async () => {
  await expect(start([Routes, Forgotten])).rejects.toThrow('Forgotten.forgotten')
})
