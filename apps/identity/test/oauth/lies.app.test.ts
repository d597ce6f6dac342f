import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AppError } from '@olytix/errors'
import type { SignInRequest } from '../../src/oauth/providers/provider.js'
import type { Providers } from '../../src/oauth/providers/providers.js'
import { DISBELIEVED, FALSE_REPLIES, MARKUP, spoiled, USELESS } from './lies.js'
import { CLIENT, LyingProvider } from './lying-provider.js'
import { aRequest, providersFor, refusal, settingsFor, signIn } from './provider-client.js'
import { SigningKey } from './signing-key.js'

const honestKey = new SigningKey('RS256')
const KID = String(honestKey.jwk['kid'])

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
  providers = providersFor(settingsFor(provider.issuer), { fetch: { timeoutMs: 3000 } })
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
  test.each([...DISBELIEVED, ...FALSE_REPLIES])('%s', async (_name, lies, cause) => {
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

  test('invalid-sig-es256', async () => {
    provider.rotate('ES256')
    expect(await enter()).toMatchObject({ subject: 'person-1' })
    provider.lies = { idToken: spoiled }
    const error = await refusal(enter())
    expect([error.code, error.cause]).toEqual(['UNAUTHORIZED', expect.stringMatching(/signature/)])
    expectNothingLeaks(error)
  })

  test.each([
    ['under its old name', (): string => KID, /no applicable/],
    ['under the name of the new one', (key: SigningKey) => String(key.jwk['kid']), /signature/],
  ])('a key that the provider has withdrawn since, %s', async (_how, nameOf, cause) => {
    expect(await enter()).toMatchObject({ subject: 'person-1' })
    provider.rotate()
    expect(await enter()).toMatchObject({ subject: 'person-1' })
    provider.lies = {
      header: (header) => ({ ...header, kid: nameOf(provider.key) }),
      idToken: (_, input) => `${input}.${honestKey.sign(input)}`,
    }
    const error = await refusal(enter())
    expect([error.code, error.cause]).toEqual(['UNAUTHORIZED', expect.stringMatching(cause)])
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
})

describe('without a usable answer, 503', () => {
  test.each(USELESS)('%s', async (_name, lies, cause) => {
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
