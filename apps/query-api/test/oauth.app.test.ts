import { credentials } from '@grpc/grpc-js'
import { Module } from '@nestjs/common'
import { APP_FILTER, NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { AuthGuardsModule } from '@olytix/auth-guards'
import { FakeAuthorizer } from '@olytix/auth-guards/testing'
import { forbidden, unauthorized, unavailable } from '@olytix/errors'
import { HttpErrorFilter } from '@olytix/errors/nest'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { IdentityClient } from '../src/http/auth/identity.client.js'
import { OAuthController } from '../src/http/auth/oauth.http.js'
import { createFastifyAdapter } from '../src/http/fastify-server.js'
import { providePublicUrl } from '../src/http/public-url.js'
import { validationPipe } from '../src/http/validation.js'
import { FakeOAuth } from './fake-oauth.js'

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeGt3PQ4xZ4d5ZqQ1-0s'.slice(0, 43)
const TOKENS = {
  access_token: 'access-1',
  token_type: 'bearer',
  expires_in: 3600,
  refresh_token: 'refresh_1',
}

let identity: FakeOAuth
let app: NestFastifyApplication
beforeEach(async () => {
  identity = await FakeOAuth.start()
})
afterEach(async () => {
  await app.close()
  identity.stop()
})

/** @returns where it listens */
async function start(publicUrl?: string): Promise<string> {
  const client = { channel: credentials.createInsecure(), serviceToken: undefined }
  @Module({
    imports: [
      AuthGuardsModule.forRoot({ authorizer: new FakeAuthorizer({}), allowQueryParameter: true }),
    ],
    controllers: [OAuthController],
    providers: [
      { provide: APP_FILTER, useClass: HttpErrorFilter },
      {
        provide: IdentityClient,
        useFactory: () => new IdentityClient({ address: identity.address, ...client }),
      },
      providePublicUrl(publicUrl),
    ],
  })
  class App {}
  const adapter = createFastifyAdapter({ trustedProxies: [], onResponse: () => undefined })
  app = await NestFactory.create<NestFastifyApplication>(App, adapter, { logger: false })
  app.useGlobalPipes(validationPipe())
  await app.listen(0, '127.0.0.1')
  return app.getUrl()
}

function ask(url: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/api/v1/auth/oauth/${path}`, { redirect: 'manual', headers })
}

async function refusalOf(answer: Response): Promise<string[]> {
  const { error } = (await answer.json()) as { error: { details?: { path: string }[] } }
  return (error.details ?? []).map(({ path }) => path)
}

/** The cookie as a browser sends it back. */
function cookieOf(answer: Response): string {
  return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
}

describe('GET /auth/oauth/providers', () => {
  test('names each with an address for the browser, at localhost unless told otherwise', async () => {
    const url = await start()
    const port = new URL(url).port
    expect(await (await ask(url, 'providers')).json()).toEqual({
      providers: [
        {
          name: 'google',
          display_name: 'Google',
          authorize_url: `http://localhost:${port}/api/v1/auth/oauth/google/authorize`,
        },
      ],
    })
  })

  test.each(['https://olytix.example/metrics', 'https://olytix.example/metrics/'])(
    'lies below %s',
    async (publicUrl) => {
      const answer = await ask(await start(publicUrl), 'providers')
      expect(await answer.json()).toMatchObject({
        providers: [
          { authorize_url: 'https://olytix.example/metrics/api/v1/auth/oauth/google/authorize' },
        ],
      })
    },
  )
})

describe('GET /auth/oauth/{name}/authorize', () => {
  test('sends the browser to the provider, where it leaves neither copy nor trace of us', async () => {
    const answer = await ask(await start(), 'google/authorize')
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe('https://provider.example/authorize?state=state-1')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('binds the sign-in to the browser by a cookie that no script can read', async () => {
    const answer = await ask(await start(), 'google/authorize')
    expect(answer.headers.get('set-cookie')).toMatch(
      /^olytix_sign_in_[\w-]{22}=secret-of-state-1; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
    )
  })

  test('on https the cookie is Secure, of this host alone, and no sibling can set it', async () => {
    const answer = await ask(await start('https://olytix.example'), 'google/authorize')
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-olytix_sign_in_[\w-]{22}=secret-of-state-1; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  })

  test('two sign-ins of one browser have a cookie each', async () => {
    const url = await start()
    const [one, other] = [await ask(url, 'google/authorize'), await ask(url, 'google/authorize')]
    expect(cookieOf(one).split('=')[0]).not.toBe(cookieOf(other).split('=')[0])
  })

  test('the addresses that identity is given come from the setting, never from the request', async () => {
    const url = await start('https://olytix.example')
    await ask(url, 'google/authorize', {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example',
    })
    expect(identity.begun).toMatchObject([
      {
        callbackUrl: 'https://olytix.example/api/v1/auth/oauth/google/callback',
        loginUrl: 'https://olytix.example/login',
      },
    ])
  })

  test('passes redirect_uri, state and challenge on as they are', async () => {
    const redirectUri = 'http://127.0.0.1:4711/callback'
    const search = new URLSearchParams({
      redirect_uri: redirectUri,
      state: 'a b&c=d',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
    })
    const answer = await ask(await start(), `google/authorize?${search.toString()}`)
    expect(answer.status).toBe(302)
    expect(identity.begun).toMatchObject([
      { redirectUri, state: 'a b&c=d', codeChallenge: CHALLENGE },
    ])
  })

  test.each([
    ['redirect_uri=http://127.0.0.1/callback', ['code_challenge', 'code_challenge_method']],
    [`redirect_uri=x&code_challenge=${CHALLENGE}`, ['code_challenge_method']],
    [
      `redirect_uri=x&code_challenge=${CHALLENGE}&code_challenge_method=plain`,
      ['code_challenge_method'],
    ],
    ['redirect_uri=x&code_challenge=short&code_challenge_method=S256', ['code_challenge']],
    [
      `code_challenge=${CHALLENGE}&code_challenge_method=S256`,
      ['code_challenge', 'code_challenge_method'],
    ],
    ['state=x', ['state']],
    [`redirect_uri=&code_challenge=${CHALLENGE}&code_challenge_method=S256`, ['redirect_uri']],
    ['next=https://evil.example', ['next']],
    ['redirect_uri=a&redirect_uri=b', ['redirect_uri']],
    ['redirect_uri=%00', ['redirect_uri', 'code_challenge', 'code_challenge_method']],
  ])('400 for %s, and nothing has begun', async (search, paths) => {
    const answer = await ask(await start(), `google/authorize?${search}`)
    expect(answer.status).toBe(400)
    expect(answer.headers.get('location')).toBeNull()
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(await refusalOf(answer)).toEqual(paths)
    expect(identity.begun).toEqual([])
  })

  test('503 while the provider does not answer', async () => {
    identity.refusal = unavailable('The provider google')
    const answer = await ask(await start(), 'google/authorize')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('set-cookie')).toBeNull()
  })
})

describe('GET /auth/oauth/{name}/callback', () => {
  async function begin(publicUrl?: string): Promise<{ url: string; cookie: string }> {
    const url = await start(publicUrl)
    return { url, cookie: cookieOf(await ask(url, 'google/authorize')) }
  }

  test('answers the token pair to the browser that began, for nobody to keep', async () => {
    const { url, cookie } = await begin()
    const answer = await ask(url, 'google/callback?code=c&state=state-1&iss=https://p.example', {
      cookie: `other=1; ${cookie}; more=2`,
    })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe(JSON.stringify(TOKENS))
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(identity.finished).toMatchObject([
      {
        provider: 'google',
        browserSecret: 'secret-of-state-1',
        state: 'state-1',
        code: 'c',
        error: '',
        iss: 'https://p.example',
      },
    ])
  })

  test('finds its cookie on https', async () => {
    const { url, cookie } = await begin('https://olytix.example')
    await ask(url, 'google/callback?code=c&state=state-1', { cookie })
    expect(identity.finished).toMatchObject([{ browserSecret: 'secret-of-state-1' }])
  })

  test.each([
    ['the cookie of another sign-in', 'olytix_sign_in_aaaaaaaaaaaaaaaaaaaaaa=secret-of-state-1'],
    ['a cookie without the name of the flow', 'olytix_sign_in=secret-of-state-1'],
    ['no cookie', ''],
  ])('has no secret of a browser for %s', async (_what, cookie) => {
    const { url } = await begin()
    await ask(url, 'google/callback?code=c&state=state-1', { cookie })
    expect(identity.finished).toMatchObject([{ browserSecret: '' }])
  })

  test('on https a cookie without the __Host- prefix counts for nothing', async () => {
    const { url, cookie } = await begin('https://olytix.example')
    await ask(url, 'google/callback?code=c&state=state-1', {
      cookie: cookie.replace('__Host-', ''),
    })
    expect(identity.finished).toMatchObject([{ browserSecret: '' }])
  })

  test('goes where identity vouches for, with nothing of its own', async () => {
    const { url, cookie } = await begin()
    const redirectUrl = 'http://127.0.0.1:4711/callback?code=one-time&state=theirs'
    identity.finishing = () => ({ redirectUrl })
    const answer = await ask(url, 'google/callback?code=c&state=state-1', { cookie })
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe(redirectUrl)
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.text()).toBe('')
  })

  test.each([
    [401, unauthorized('state')],
    [403, forbidden('domain')],
    [503, unavailable('The provider google')],
  ])('%i is answered here, and the cookie is over', async (status, refusal) => {
    const { url, cookie } = await begin()
    identity.refusal = refusal
    const answer = await ask(url, 'google/callback?code=c&state=state-1', { cookie })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('location')).toBeNull()
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('set-cookie')).toMatch(/^olytix_sign_in_[\w-]{22}=; Max-Age=0;/)
  })

  test('repeats nothing of what came', async () => {
    const { url, cookie } = await begin()
    identity.refusal = unauthorized('refused')
    const markup = encodeURIComponent('<script>alert(1)</script>')
    const search = `error=${markup}&error_description=${markup}&error_uri=${markup}&state=${markup}`
    const answer = await ask(url, `google/callback?${search}`, { cookie })
    expect(answer.headers.get('content-type')).toContain('application/json')
    const everything = JSON.stringify([...answer.headers]) + (await answer.text())
    expect(everything).not.toMatch(/alert|script/)
    expect(identity.finished[0]).not.toHaveProperty('errorDescription')
  })

  test('code and error together reach identity together, which refuses and notes it', async () => {
    const { url, cookie } = await begin()
    await ask(url, 'google/callback?code=c&error=access_denied&state=state-1', { cookie })
    expect(identity.finished).toMatchObject([{ code: 'c', error: 'access_denied' }])
  })

  test.each([
    ['code=c', ['state']],
    ['code=c&state=', ['state']],
    ['code=c&state=a&state=b', ['state']],
    ['code=c&code=d&state=a', ['code']],
    ['code=c&state=a&iss=b&iss=c', ['iss']],
    [`state=a&code=${'c'.repeat(4097)}`, ['code']],
  ])('400 for %j', async (search, paths) => {
    const { url } = await begin()
    const answer = await ask(url, `google/callback?${search}`)
    expect(answer.status).toBe(400)
    expect(await refusalOf(answer)).toEqual(paths)
    expect(identity.finished).toEqual([])
  })
})

describe('POST /auth/oauth/token', () => {
  async function redeem(body: unknown): Promise<Response> {
    return fetch(`${await start()}/api/v1/auth/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'olytix-core' },
      body: JSON.stringify(body),
    })
  }

  test('gives the pair for code and verifier', async () => {
    const answer = await redeem({ code: 'one-time', code_verifier: 'v'.repeat(43) })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe(JSON.stringify(TOKENS))
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(identity.redeemed).toEqual([
      { code: 'one-time', codeVerifier: 'v'.repeat(43), userAgent: 'olytix-core' },
    ])
  })

  test.each([
    [{ code: 'c' }, ['code_verifier']],
    [{ code_verifier: 'v' }, ['code']],
    [{ code: '', code_verifier: 'v' }, ['code']],
    [{ code: 'c', code_verifier: 'v', redirect_uri: 'https://evil.example' }, ['redirect_uri']],
    [{ code: ['c'], code_verifier: 'v' }, ['code']],
  ])('400 for %j', async (body, paths) => {
    const answer = await redeem(body)
    expect(answer.status).toBe(400)
    expect(await refusalOf(answer)).toEqual(paths)
  })
})

test('503 while identity does not answer', async () => {
  const url = await start()
  identity.stop()
  for (const path of ['providers', 'google/authorize', 'google/callback?code=c&state=s']) {
    expect((await ask(url, path)).status).toBe(503)
  }
})
