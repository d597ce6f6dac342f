import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AppError } from '@olytix/errors'
import type { SignInRequest } from '../../src/oauth/providers/provider.js'
import type { Providers } from '../../src/oauth/providers/providers.js'
import { CLIENT, type Lies, LyingProvider } from './lying-provider.js'
import { aRequest, providersFor, refusal, settingsFor, signIn } from './provider-client.js'
import { SigningKey } from './signing-key.js'

const honestKey = new SigningKey('RS256')
const MARKUP = '<script>alert(1)</script>'

let provider: LyingProvider
let other: LyingProvider
let providers: Providers

beforeAll(async () => {
  provider = await LyingProvider.start()
  other = await LyingProvider.start()
})

afterAll(async () => {
  await provider.stop()
  await other.stop()
})

beforeEach(() => {
  provider.lies = {}
  provider.person = { sub: 'person-1', email: 'ada@example.com', email_verified: true, name: 'Ada' }
  provider.claimsInIdToken = true
  provider.key = honestKey
  provider.seen.length = 0
  other.seen.length = 0
  providers = providersFor(settingsFor(provider.issuer), { fetch: { timeoutMs: 1000 } })
})

const enter = (changes: Partial<SignInRequest> = {}) =>
  signIn(providers, (url) => provider.signIn(url), changes)

function expectNothingLeaks(error: AppError): void {
  const told = `${error.message} ${String(error.cause)} ${JSON.stringify(error.headers)}`
  for (const secret of [provider.accessToken, CLIENT.secret, MARKUP, 'eyJ', 'example.com']) {
    expect(told).not.toContain(secret)
  }
  expect(typeof error.cause).toBe('string')
}

describe('not believed, with the cause in the log and 401 for who asks', () => {
  const weak = new SigningKey('RS256', 1024)
  const stranger = new SigningKey('RS256')

  test.each([
    ['invalid-iss', claims({ iss: 'https://evil.example' }), /"iss"/],
    ['missing-iss', claims({ iss: undefined }), /"iss"/],
    ['invalid-aud', claims({ aud: 'another' }), /"aud"/],
    ['missing-aud', claims({ aud: undefined }), /"aud"/],
    ['aud with others and no azp', claims({ aud: [CLIENT.id, 'x'], azp: undefined }), /"aud"/],
    ['aud with others, azp of another', claims({ aud: [CLIENT.id, 'x'], azp: 'x' }), /"azp"/],
    ['azp of another', claims({ azp: 'another' }), /\(azp\)/],
    ['missing-iat', claims({ iat: undefined }), /"iat"/],
    ['iat as text', claims({ iat: '1' }), /"iat"/],
    ['iat in the future', claims({ iat: inSeconds(90) }), /\(iat\)/],
    ['expired', claims({ exp: inSeconds(-31) }), /"exp"/],
    ['missing-exp', claims({ exp: undefined }), /"exp"/],
    ['exp as text', claims({ exp: '9999999999' }), /"exp"/],
    ['not yet valid', claims({ nbf: inSeconds(90) }), /"nbf"/],
    ['missing-sub', claims({ sub: undefined }), /"sub"/],
    ['sub as a number', claims({ sub: 7 }), /"sub"/],
    ['sub as a list', claims({ sub: ['person-1'] }), /"sub"/],
    ['empty sub', claims({ sub: '' }), /another form/],
    ['sub with NUL', claims({ sub: 'person-1\u0000' }), /another form/],
    ['sub of 256 characters', claims({ sub: 'x'.repeat(256) }), /another form/],
    ['nonce-invalid', claims({ nonce: 'another' }), /"nonce"/],
    ['nonce missing', claims({ nonce: undefined }), /"nonce"/],
    ['invalid-athash', claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), /at_hash/],
    ['at_hash as a number', claims({ at_hash: 7 }), /another form/],
    ['invalid-sig-rs256', { idToken: spoiled }, /signature/],
    ['no signature', { idToken: (_, input) => `${input}.` }, /signature/],
    ['idtoken-sig-none', unsigned('none'), /"alg"|unsupported/],
    ['idtoken-sig-none, in other letters', unsigned('nOnE'), /"alg"|unsupported/],
    [
      'none though the provider lists it',
      { ...unsigned('none'), ...listing('none') },
      /unsupported/,
    ],
    ['invalid-sig-hs256 with the public key', { ...hs256(), ...listing('HS256') }, /unsupported/],
    [
      'hs256 with the client secret',
      { ...hs256(CLIENT.secret), ...listing('HS256') },
      /unsupported/,
    ],
    ['hs256 not listed', hs256(CLIENT.secret), /"alg"/],
    ['kid-absent-multiple-jwks', { header: ({ alg }) => ({ alg }), keys: withAnother }, /multiple/],
    ['a kid that is not published', { header: (header) => ({ ...header, kid: 'x' }) }, /no applic/],
    ['a key in the header', inHeader(stranger), /signature/],
    ['a critical extension', { header: (header) => ({ ...header, crit: ['b64'] }) }, /crit/],
    ['a key of 1024 bits', signedBy(weak), /no applicable/],
    ['a key for encryption', { keys: ([key]) => [{ ...key, use: 'enc' }] }, /no applicable/],
    [
      'a key of another algorithm',
      { keys: ([key]) => [{ ...key, alg: 'RS512' }] },
      /no applicable/,
    ],
    ['no keys', { keys: () => [] }, /no applicable/],
    ['an encrypted token', { idToken: (signed) => `${signed}.x.y` }, /JWE/],
    ['two parts', { idToken: (_, input) => input }, /Invalid JWT/],
    ['no id_token', { tokens: ({ id_token: _, ...answer }) => answer }, /id_token/],
    ['no access_token', { tokens: ({ access_token: _, ...answer }) => answer }, /access_token/],
    ['id_token as a list', { tokens: (answer) => ({ ...answer, id_token: ['x'] }) }, /id_token/],
    [
      'another token_type',
      { tokens: (answer) => ({ ...answer, token_type: 'mac' }) },
      /token_type/,
    ],
    ['userinfo-invalid-sub', { userinfo: (said) => ({ ...said, sub: 'person-2' }) }, /"sub"/],
    ['userinfo without sub', { userinfo: ({ sub: _, ...said }) => said }, /"sub"/],
    [
      'iss parameter wrong',
      { reply: (each) => ({ ...each, iss: 'https://evil.example' }) },
      /"iss"/,
    ],
    ['iss parameter missing', { discovery: advertisingIss }, /"iss"/],
    ['state of another', { reply: (each) => ({ ...each, state: 'another' }) }, /"state"/],
    ['no state', { reply: ({ code }) => ({ code }) }, /"state"/],
    ['no code', { reply: ({ state }) => ({ state }) }, /code/],
    ['code of another', { reply: (each) => ({ ...each, code: 'another' }) }, /invalid_grant/],
    [
      'code with error',
      { reply: (each) => ({ ...each, error: 'access_denied' }) },
      /access_denied/,
    ],
    ['an error alone', { reply: ({ state }) => ({ state, error: MARKUP }) }, /is an error$/],
    [
      'an error of the token endpoint',
      { tokens: () => ({ error: 'invalid_client', error_description: MARKUP }) },
      /\(invalid_client\)/,
    ],
  ] satisfies [string, Lies, RegExp][])('%s', async (_name, lies, cause) => {
    expect(await enter()).toMatchObject({ subject: 'person-1' })
    provider.lies = lies
    const error = await refusal(enter())
    expect([error.code, error.message]).toEqual([
      'UNAUTHORIZED',
      'Invalid or missing authentication',
    ])
    expect(error.cause).toMatch(cause)
    expectNothingLeaks(error)
  })

  test('a verifier that was swapped is what the provider refuses', async () => {
    expect(await enter()).toMatchObject({ subject: 'person-1' })
    const error = await refusal(enter({ codeVerifier: aRequest().codeVerifier }))
    expect([error.code, error.cause]).toEqual([
      'UNAUTHORIZED',
      expect.stringContaining('invalid_grant'),
    ])
  })

  test('the code of another person at this browser, by its nonce', async () => {
    const error = await refusal(enter({ nonce: aRequest().nonce }))
    expect([error.code, error.cause]).toEqual(['UNAUTHORIZED', expect.stringContaining('"nonce"')])
  })

  test('a token that another issuer signed well, and that issuer is not asked for its keys', async () => {
    provider.lies = {
      claims: (said) => ({ ...said, iss: other.issuer }),
      header: (header) => ({ ...header, kid: other.key.jwk['kid'], jku: `${other.issuer}/jwks` }),
      idToken: (_, input) => `${input}.${other.key.sign(input)}`,
    }
    const error = await refusal(enter())
    expect([error.code, error.cause]).toEqual(['UNAUTHORIZED', expect.stringContaining('"iss"')])
    expect(other.seen).toEqual([])
  })

  function signedBy(key: SigningKey): Lies {
    return {
      keys: () => [key.jwk],
      header: (header) => ({ ...header, kid: key.jwk['kid'] }),
      idToken: (_, input) => `${input}.${key.sign(input)}`,
    }
  }

  function inHeader(key: SigningKey): Lies {
    return {
      header: (header) => ({ ...header, jwk: key.jwk }),
      idToken: (_, input) => `${input}.${key.sign(input)}`,
    }
  }

  function hs256(secret?: string): Lies {
    return {
      header: (header) => ({ ...header, alg: 'HS256' }),
      idToken: (_, input) => {
        const pem = provider.key.publicKey.export({ format: 'pem', type: 'spki' })
        return `${input}.${createHmac('sha256', secret ?? pem)
          .update(input)
          .digest('base64url')}`
      },
    }
  }
})

describe('without a usable answer, 503', () => {
  const tooMuch = { body: Buffer.alloc(10 * 1024 * 1024, ' ') }

  test.each([
    [
      'discovery of another issuer',
      { discovery: (said) => ({ ...said, issuer: 'https://evil.example' }) },
      /discovery/,
    ],
    ['no token endpoint', { discovery: ({ token_endpoint: _, ...said }) => said }, /lacks/],
    ['no keys address', { discovery: ({ jwks_uri: _, ...said }) => said }, /lacks/],
    [
      'no authorisation endpoint',
      { discovery: ({ authorization_endpoint: _, ...said }) => said },
      /lacks/,
    ],
    [
      'a token endpoint that is no address',
      { discovery: (said) => ({ ...said, token_endpoint: 'x' }) },
      /token_endpoint/,
    ],
    [
      'a file as keys',
      { discovery: (said) => ({ ...said, jwks_uri: 'file:///etc/passwd' }) },
      /HTTP/,
    ],
    ['keys that are no list', { keys: () => 'x' }, /form/],
    ['discovery 500', { raw: { discovery: { status: 500 } } }, /status 500/],
    ['discovery as HTML', { raw: { discovery: { type: 'text/html', body: MARKUP } } }, /no JSON/],
    ['discovery as a list', { raw: { discovery: { body: '[]' } } }, /form/],
    ['token 500', { raw: { token: { status: 500, body: MARKUP } } }, /status 500/],
    ['token 429', { raw: { token: { status: 429 } } }, /status 429/],
    ['token as HTML', { raw: { token: { type: 'text/html', body: MARKUP } } }, /no JSON/],
    ['token as broken JSON', { raw: { token: { body: '{' } } }, /JSON/],
    [
      'token 400 as HTML',
      { raw: { token: { status: 400, type: 'text/html', body: MARKUP } } },
      /content-type/,
    ],
    ['token of 10 MB', { raw: { token: tooMuch } }, /1 MB/],
    ['token never', { raw: { token: { silent: true } } }, /in time/],
    ['token drop by drop', { raw: { token: { dripMs: 20 } } }, /in time/],
    ['keys of 10 MB', { raw: { jwks: tooMuch } }, /1 MB/],
    ['keys 404', { raw: { jwks: { status: 404 } } }, /status 404/],
    ['userinfo 500', { raw: { userinfo: { status: 500 } } }, /status 500/],
    [
      'a compressed answer',
      { raw: { token: { headers: { 'content-encoding': 'gzip' } } } },
      /compressed/,
    ],
  ] satisfies [string, Lies, RegExp][])('%s', async (_name, lies, cause) => {
    expect(await enter()).toMatchObject({ subject: 'person-1' })
    provider.lies = lies
    const error = await refusal(enter())
    expect([error.code, error.cause]).toEqual(['UNAVAILABLE', expect.stringMatching(cause)])
    expect(error.message).toBe('The sign-in provider does not answer at the moment; try again')
    expectNothingLeaks(error)
  })

  test.each(['discovery', 'token', 'jwks', 'userinfo'] as const)(
    'a redirect of %s, which is not followed',
    async (endpoint) => {
      await enter()
      const headers = { location: `${other.issuer}/${endpoint}` }
      provider.lies = { raw: { [endpoint]: { status: 307, headers } } }
      const error = await refusal(enter())
      expect([error.code, error.cause]).toEqual(['UNAVAILABLE', expect.stringContaining('307')])
      expect(other.seen).toEqual([])
    },
  )

  test('a provider that is down, before and after the person went there', async () => {
    const shortLived = await LyingProvider.start()
    const down = providersFor(settingsFor(shortLived.issuer))
    const request = aRequest()
    const parameters = await shortLived.signIn(await down.authorizationUrl('company', request))
    await shortLived.stop()
    const error = await refusal(down.finish('company', { ...request, parameters }))
    expect([error.code, error.cause]).toEqual(['UNAVAILABLE', expect.stringContaining('ECONN')])
    const fresh = providersFor(settingsFor(shortLived.issuer))
    expect((await refusal(fresh.authorizationUrl('company', request))).code).toBe('UNAVAILABLE')
  })
})

function claims(changes: Record<string, unknown>): Lies {
  return { claims: (said) => ({ ...said, ...changes }) }
}

function inSeconds(count: number): number {
  return Math.floor(Date.now() / 1000) + count
}

function advertisingIss(metadata: Record<string, unknown>): Record<string, unknown> {
  return { ...metadata, authorization_response_iss_parameter_supported: true }
}

function listing(algorithm: string): Lies {
  return {
    discovery: (metadata) => ({
      ...metadata,
      id_token_signing_alg_values_supported: [algorithm, 'RS256'],
    }),
  }
}

function unsigned(algorithm: string): Lies {
  return {
    header: (header) => ({ ...header, alg: algorithm }),
    idToken: (_, input) => `${input}.`,
  }
}

function spoiled(signed: string): string {
  const [header = '', payload = '', signature = ''] = signed.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[10] = (bytes[10] ?? 0) ^ 1
  return [header, payload, bytes.toString('base64url')].join('.')
}

function withAnother(keys: readonly Record<string, unknown>[]): unknown {
  return [...keys, new SigningKey('RS256').jwk]
}
