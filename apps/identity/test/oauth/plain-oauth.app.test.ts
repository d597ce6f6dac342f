import http from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { PlainProtocol } from '../../src/oauth/provider-settings.js'
import type { Providers } from '../../src/oauth/providers/providers.js'
import { aRequest, providersFor, refusal, settingsFor } from './provider-client.js'

/** An authorisation server without OpenID: what it answers, by path. */
const answers: Record<string, { status?: number; body: unknown }> = {}
const asked: { url: string; authorization: string | undefined; body: string }[] = []
let server: http.Server
let address: string

beforeAll(async () => {
  server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const url = request.url ?? ''
      asked.push({ url, authorization: request.headers.authorization, body })
      const answer = answers[url]
      response.writeHead(answer?.status ?? (answer ? 200 : 404), {
        'content-type': 'application/json; charset=utf-8',
      })
      response.end(JSON.stringify(answer?.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const listening = server.address()
  const port = typeof listening === 'object' && listening ? listening.port : 0
  address = `http://127.0.0.1:${String(port)}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const EMAILS = [
  { email: 'old@example.com', primary: false, verified: true, visibility: null },
  { email: 'ada@example.com', primary: true, verified: true, visibility: 'public' },
]

beforeEach(() => {
  asked.length = 0
  answers['/token'] = { body: { access_token: 'gho_1', token_type: 'bearer', scope: 'read:user' } }
  answers['/user'] = { body: { id: 583231, login: 'ada', name: 'Ada', email: 'shown@example.com' } }
  answers['/user/emails'] = { body: EMAILS }
})

function withKind(kind: PlainProtocol['kind']): Providers {
  const protocol = {
    kind,
    issuer: kind === 'github' ? 'https://github.com' : `${address}/user`,
    authorizeUrl: `${address}/authorize`,
    tokenUrl: `${address}/token`,
    userinfoUrl: `${address}/user`,
  }
  return providersFor(settingsFor('', { protocol, scopes: ['read:user', 'user:email'] }))
}

async function enter(kind: PlainProtocol['kind'], changes: Record<string, string> = {}) {
  const providers = withKind(kind)
  const request = aRequest()
  const url = await providers.authorizationUrl('company', request)
  expect(url.searchParams.get('code_challenge_method')).toBe('S256')
  const parameters = { code: 'c', state: url.searchParams.get('state') ?? '', ...changes }
  const profile = await providers.finish('company', { ...request, parameters })
  return { profile, request }
}

describe('with GitHub', () => {
  test('the person is the number, and the primary address counts as verified if GitHub says so', async () => {
    const { profile, request } = await enter('github')
    expect(profile).toMatchObject({
      issuer: 'https://github.com',
      subject: '583231',
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada',
    })
    expect(asked.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/token', undefined],
      ['/user', 'Bearer gho_1'],
      ['/user/emails', 'Bearer gho_1'],
    ])
    expect(new URLSearchParams(asked[0]?.body).get('code_verifier')).toBe(request.codeVerifier)
  })

  test('an address that is not verified is not, whatever others are', async () => {
    answers['/user/emails'] = { body: EMAILS.map((each) => ({ ...each, verified: !each.primary })) }
    const { profile } = await enter('github')
    expect([profile.email, profile.emailVerified]).toEqual(['ada@example.com', false])
  })

  test('without a primary address there is none, not even the shown one', async () => {
    answers['/user/emails'] = { body: [] }
    const { profile } = await enter('github')
    expect([profile.email, profile.emailVerified]).toEqual([undefined, false])
  })

  test.each([
    ['a refused code', '/token', { body: { error: 'bad_verification_code' } }, 'UNAUTHORIZED'],
    ['an API that refuses', '/user', { status: 403, body: {} }, 'UNAUTHORIZED'],
    ['a person without number', '/user', { body: { login: 'ada' } }, 'UNAUTHORIZED'],
    ['a number as text', '/user', { body: { id: '583231' } }, 'UNAUTHORIZED'],
    ['a number too great to be exact', '/user', { body: { id: 2 ** 53 } }, 'UNAUTHORIZED'],
    ['addresses of another form', '/user/emails', { body: {} }, 'UNAUTHORIZED'],
    ['an API that is down', '/user', { status: 502, body: '' }, 'UNAVAILABLE'],
  ])('%s is refused', async (_name, path, answer, code) => {
    await enter('github')
    answers[path] = answer
    expect((await refusal(enter('github'))).code).toBe(code)
  })

  test('another state is refused before the code is sent', async () => {
    expect((await refusal(enter('github', { state: 'x' }))).cause).toContain('"state"')
    expect(asked).toEqual([])
  })
})

describe('with any provider of plain OAuth', () => {
  test.each([
    ['sub', { sub: 'ada' }, 'ada'],
    ['id', { id: 'ada' }, 'ada'],
    ['a number', { id: 7 }, '7'],
    ['sub before id', { sub: 'ada', id: 7 }, 'ada'],
  ])('the person is %s of its API', async (_name, body, subject) => {
    answers['/user'] = { body: { ...body, email: 'a@b.c', email_verified: true } }
    const { profile } = await enter('oauth')
    expect(profile).toMatchObject({ issuer: `${address}/user`, subject, emailVerified: true })
  })

  test('an address without email_verified: true is not verified', async () => {
    answers['/user'] = { body: { sub: 'ada', email: 'a@b.c', email_verified: 'true' } }
    expect((await enter('oauth')).profile.emailVerified).toBe(false)
  })
})
