import { connect } from 'node:net'
import { Body, Controller, Module, Post } from '@nestjs/common'
import { APP_FILTER, NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { AuthGuardsModule, RequireScope } from '@olytix/auth-guards'
import { aPrincipal, FakeAuthorizer } from '@olytix/auth-guards/testing'
import { HttpErrorFilter } from '@olytix/errors/nest'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { HealthController, READINESS_CHECKS } from '../src/health/health.http.js'
import { answerWrongMethods } from '../src/http/allowed-methods.js'
import { type AccessEntry, createFastifyAdapter } from '../src/http/fastify-server.js'
import { validationPipe } from '../src/http/validation.js'

const KEY = 'olytix-core_key_test'
const Thing = z.strictObject({ names: z.array(z.string()) })

@Controller('api/v1/things')
class ThingsController {
  @Post()
  @RequireScope('read')
  make(@Body({ schema: Thing }) body: z.output<typeof Thing>) {
    return { count: body.names.length }
  }
}

let app: NestFastifyApplication
let url: string
let warehouseAnswers = true
const log: AccessEntry[] = []

beforeAll(async () => {
  @Module({
    imports: [
      AuthGuardsModule.forRoot({
        authorizer: new FakeAuthorizer({ [KEY]: aPrincipal() }),
        allowQueryParameter: true,
      }),
    ],
    controllers: [ThingsController, HealthController],
    providers: [
      { provide: APP_FILTER, useClass: HttpErrorFilter },
      {
        provide: READINESS_CHECKS,
        useValue: [{ name: 'warehouse', isReady: () => Promise.resolve(warehouseAnswers) }],
      },
    ],
  })
  class App {}
  const adapter = createFastifyAdapter({
    trustedProxies: [],
    onResponse: (entry) => log.push(entry),
  })
  answerWrongMethods(adapter.getInstance())
  app = await NestFactory.create<NestFastifyApplication>(App, adapter, { logger: false })
  app.useGlobalPipes(validationPipe())
  await app.listen(0, '127.0.0.1')
  url = await app.getUrl()
})

afterAll(() => app.close())

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/things`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
  })

describe('the request id', () => {
  test('is the client’s where it is harmless', async () => {
    const response = await post('{"names":[]}', { 'x-request-id': 'my-request_1' })
    expect(response.headers.get('x-request-id')).toBe('my-request_1')
  })

  test.each(['short', 'has blanks in it', `long${'g'.repeat(64)}`])(
    'is a new one instead of %j',
    async (id) => {
      const response = await post('{"names":[]}', { 'x-request-id': id })
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    },
  )

  test('comes with every refusal too', async () => {
    expect((await fetch(`${url}/nowhere`)).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('400', () => {
  test('a body that breaks its schema names every place at once', async () => {
    const response = await post('{"names":[1, "a", 2], "more": true}')
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as {
      error: { code: string; details: { path: string }[] }
    }
    expect(error.code).toBe('INVALID_REQUEST')
    expect(error.details.map(({ path }) => path)).toEqual(['names[0]', 'names[2]', 'more'])
  })

  test.each(['{', '', '[', '{"__proto__": {"admin": true}}', '\ufeff{"names":[]}x'])(
    '%j is not valid JSON',
    async (body) => {
      const response = await post(body)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'INVALID_REQUEST' } })
    },
  )
})

describe('404, 405, 413, 415, 431', () => {
  test('an unknown address is NOT_FOUND', async () => {
    const response = await fetch(`${url}/api/v1/nothing`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })

  test('a known address with another method is METHOD_NOT_ALLOWED and says what it takes', async () => {
    const response = await fetch(`${url}/api/v1/things`, { method: 'DELETE' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
    expect(await response.json()).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } })
  })

  test('a body of 2 MB is PAYLOAD_TOO_LARGE', async () => {
    const response = await post(JSON.stringify({ names: ['x'.repeat(2_000_000)] }))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE' } })
  })

  test('a body that is not JSON is UNSUPPORTED_MEDIA_TYPE', async () => {
    const response = await post('<x/>', { 'content-type': 'application/xml' })
    expect(response.status).toBe(415)
    expect(await response.json()).toMatchObject({ error: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
  })

  test('1 MB of headers is HEADERS_TOO_LARGE', async () => {
    const answer = await raw(
      `GET / HTTP/1.1\r\nHost: x\r\nX-Much: ${'a'.repeat(1_000_000)}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
    expect(answer).toContain('"code":"HEADERS_TOO_LARGE"')
  })

  test('what is not HTTP at all gets a 400 in the documented shape', async () => {
    const answer = await raw('hello\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"code":"INVALID_REQUEST"')
  })
})

describe('health', () => {
  test('live answers whatever else is down; ready needs everything', async () => {
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    warehouseAnswers = false
    const ready = await fetch(`${url}/health/ready`)
    expect([(await fetch(`${url}/health/live`)).status, ready.status]).toEqual([200, 503])
    expect(await ready.text()).toContain('warehouse')
    warehouseAnswers = true
  })
})

test('the access log holds no key, even when one came in the query', async () => {
  await fetch(`${url}/api/v1/things?api_key=${KEY}`, { method: 'POST', body: '{}' })
  expect(log.length).toBeGreaterThan(0)
  expect(JSON.stringify(log)).not.toContain(KEY)
})

/** Sends bytes as they are and gives what comes back. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('close', () => {
      resolve(answer)
    })
    socket.on('error', (error) => {
      if (answer === '') reject(error)
      else resolve(answer)
    })
    socket.write(bytes)
  })
}
