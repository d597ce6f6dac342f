import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { SignInRequest } from '../../src/oauth/providers/provider.js'
import type { Providers } from '../../src/oauth/providers/providers.js'
import { CLIENT, encode, type Lies, LyingProvider } from './lying-provider.js'
import {
  aRequest,
  CALLBACK_URL,
  providersFor,
  refusal,
  settingsFor,
  signIn,
} from './provider-client.js'
import { SigningKey } from './signing-key.js'

const honestKey = new SigningKey('RS256')
const nextKey = new SigningKey('RS256')

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
  providers = providersFor(settingsFor(provider.issuer))
})

const enter = (changes: Partial<SignInRequest> = {}) =>
  signIn(providers, (url) => provider.signIn(url), changes)

describe('a sign-in works', () => {
  test('with code, PKCE S256, state and nonce, and the provider sees the verifier', async () => {
    const request = aRequest()
    const url = await providers.authorizationUrl('company', request)
    const parameters = await provider.signIn(url)
    const profile = await providers.finish('company', { ...request, parameters })
    expect(profile).toMatchObject({
      issuer: provider.issuer,
      subject: 'person-1',
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada',
    })
    const asked = provider.seen.find(({ endpoint }) => endpoint === 'authorize')?.parameters
    expect(asked).toEqual({
      client_id: CLIENT.id,
      response_type: 'code',
      redirect_uri: CALLBACK_URL,
      scope: 'openid email profile',
      state: request.state,
      nonce: request.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    const redeemed = provider.seen.find(({ endpoint }) => endpoint === 'token')?.parameters
    expect(redeemed?.['code_verifier']).toBe(request.codeVerifier)
  })

  test.each([
    ['client-secret-basic', { discovery: without('client_secret_post') }],
    ['client-secret-basic by default', { discovery: without(undefined) }],
    ['kid-absent-single-jwks', { header: ({ alg }) => ({ alg }) }],
    ['signing-key-rotation-just-before-signing', { beforeSigning: rotate }],
    ['an iss parameter that is right', { reply: (each) => ({ ...each, iss: provider.issuer }) }],
    ['one audience in a list', { claims: (claims) => ({ ...claims, aud: [CLIENT.id] }) }],
    ['no at_hash and no azp', { claims: ({ at_hash: _, azp: __, ...claims }) => claims }],
    ['a key for encryption beside', { keys: (keys) => [...keys, encryptionKey()] }],
  ] satisfies [string, Lies][])('with %s', async (_name, lies) => {
    provider.lies = lies
    expect(await enter()).toMatchObject({ subject: 'person-1', emailVerified: true })
  })

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('signed with %s', async (algorithm) => {
    provider.rotate(algorithm)
    expect(await enter()).toMatchObject({ subject: 'person-1' })
  })

  test('with claims at the userinfo endpoint only, which sees the access token in a header', async () => {
    provider.claimsInIdToken = false
    provider.person = { ...provider.person, groups: ['sales'] }
    const profile = await enter()
    expect(profile).toMatchObject({ email: 'ada@example.com', emailVerified: true })
    expect(profile.claims['groups']).toEqual(['sales'])
    const { authorization, parameters } = provider.seen.at(-1) ?? {}
    expect(authorization).toBe(`Bearer ${provider.accessToken}`)
    expect(parameters).toEqual({})
  })

  test('after the provider has changed its keys, at once', async () => {
    await enter()
    provider.rotate('ES256')
    expect(await enter()).toMatchObject({ subject: 'person-1' })
  })

  test('of the same subject at two providers as two persons', async () => {
    const elsewhere = providersFor(settingsFor(other.issuer))
    const here = await enter()
    const there = await signIn(elsewhere, (url) => other.signIn(url))
    expect([there.subject, there.email]).toEqual([here.subject, here.email])
    expect(there.issuer).not.toBe(here.issuer)
  })
})

test('discovery is reused for 60 s when a sign-in begins, and read anew when it ends', async () => {
  const clock = { at: new Date() }
  providers = providersFor(settingsFor(provider.issuer), { now: () => clock.at })
  const discoveries = () => provider.seen.filter(({ endpoint }) => endpoint === 'discovery').length
  const begin = () => providers.authorizationUrl('company', aRequest())
  await begin()
  clock.at = new Date(clock.at.getTime() + 59_999)
  await begin()
  expect(discoveries()).toBe(1)
  clock.at = new Date(clock.at.getTime() + 1)
  await begin()
  expect(discoveries()).toBe(2)
  await enter()
  expect(discoveries()).toBe(3)
})

test('sign-ins that begin at once ask the provider once, and again after it failed', async () => {
  const discoveries = () => provider.seen.filter(({ endpoint }) => endpoint === 'discovery').length
  const beginTwenty = () =>
    Promise.allSettled(
      Array.from({ length: 20 }, () => providers.authorizationUrl('company', aRequest())),
    )
  provider.lies = { raw: { discovery: { status: 500 } } }
  const failed = await beginTwenty()
  expect(failed.every(({ status }) => status === 'rejected')).toBe(true)
  expect(discoveries()).toBe(1)
  provider.lies = {}
  const begun = await beginTwenty()
  expect(begun.every(({ status }) => status === 'fulfilled')).toBe(true)
  expect(discoveries()).toBe(2)
})

describe('an address and its proof come from one source', () => {
  test.each([
    ['verified', { email_verified: true }, {}, true],
    ['not verified', { email_verified: false }, {}, false],
    ['verified by a text', { email_verified: 'true' }, {}, false],
    ['verified by a number', { email_verified: 1 }, {}, false],
    ['nothing said', { email_verified: undefined }, {}, false],
    [
      'another address is verified',
      { email_verified: undefined },
      { email: 'eve@example.com', email_verified: true },
      false,
    ],
  ])('%s', async (_name, inIdToken, inUserinfo, expected) => {
    provider.lies = {
      claims: (said) => ({ ...said, ...inIdToken }),
      userinfo: (said) => ({ ...said, ...inUserinfo }),
    }
    const profile = await enter()
    expect([profile.email, profile.emailVerified]).toEqual(['ada@example.com', expected])
    expect(profile.claims['email_verified']).toBe(expected)
  })

  test.each([
    ['no address', undefined],
    ['a list', ['ada@example.com']],
    ['two addresses', 'ada@example.com,eve@example.com'],
    ['a header', 'ada@example.com\r\nBcc: eve@example.com'],
    ['NUL', 'ada@example.com\u0000'],
  ])('%s is no address and proves nothing', async (_name, email) => {
    provider.person = { ...provider.person, email }
    const profile = await enter()
    expect([profile.email, profile.emailVerified]).toEqual([undefined, false])
  })
})

describe('a name of no provider', () => {
  test('is not found, in both steps', async () => {
    const request = aRequest()
    const [begun, ended] = await Promise.all([
      refusal(providers.authorizationUrl('__proto__', request)),
      refusal(providers.finish('Company', { ...request, parameters: {} })),
    ])
    expect([begun.code, ended.code]).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(begun.message).toBe('There is no such sign-in provider; there are company')
    expect(() => providers.settings('nobody')).toThrow('There is no such sign-in provider')
  })
})

function rotate(): void {
  provider.key = nextKey
}

function without(
  method: string | undefined,
): (metadata: Record<string, unknown>) => Record<string, unknown> {
  return ({ token_endpoint_auth_methods_supported: _, ...rest }) =>
    method === undefined
      ? rest
      : { ...rest, token_endpoint_auth_methods_supported: ['client_secret_basic'] }
}

function encryptionKey(): Record<string, unknown> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...publicKey.export({ format: 'jwk' }), use: 'enc', alg: 'RSA-OAEP', kid: encode('e') }
}
