import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Providers } from '../../src/oauth/providers/providers.js'
import { HonestProvider } from './honest-provider.js'
import {
  aRequest,
  CALLBACK_URL,
  providersFor,
  refusal,
  settingsFor,
  signIn,
} from './provider-client.js'

const ADA = {
  sub: 'ada',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada',
  groups: ['sales'],
  region: 'West',
}

let provider: HonestProvider
let providers: Providers

beforeAll(async () => {
  provider = await HonestProvider.start(CALLBACK_URL, ADA)
  providers = providersFor(settingsFor(provider.issuer))
})

afterAll(() => provider.stop())

describe('with oidc-provider, in the default configuration of a client', () => {
  test('somebody signs in, and the claims of their directory come along', async () => {
    const profile = await signIn(providers, (url) => provider.signIn(url))
    expect(profile).toMatchObject({
      issuer: provider.issuer,
      subject: 'ada',
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada',
    })
    expect([profile.claims['groups'], profile.claims['region']]).toEqual([['sales'], 'West'])
  })

  test('what has changed there is known at the next sign-in', async () => {
    await provider.become({ ...ADA, region: 'East', email_verified: false })
    const profile = await signIn(providers, (url) => provider.signIn(url))
    expect([profile.claims['region'], profile.emailVerified]).toEqual(['East', false])
  })

  test('a code works once, and with its verifier only', async () => {
    const request = aRequest()
    const parameters = await provider.signIn(await providers.authorizationUrl('company', request))
    const finish = (changes = {}) =>
      providers.finish('company', { ...request, ...changes, parameters })
    expect(await finish()).toMatchObject({ subject: 'ada' })
    expect((await refusal(finish())).cause).toContain('invalid_grant')
    const swapped = signIn(providers, (url) => provider.signIn(url), {
      codeVerifier: aRequest().codeVerifier,
    })
    expect((await refusal(swapped)).cause).toContain('invalid_grant')
  })

  test('a wrong secret of ours is named in the cause', async () => {
    const wrong = providersFor(settingsFor(provider.issuer, { clientId: 'nobody' }))
    const request = aRequest()
    const parameters = await provider.signIn(await providers.authorizationUrl('company', request))
    const error = await refusal(wrong.finish('company', { ...request, parameters }))
    expect([error.code, error.cause]).toEqual([
      'UNAUTHORIZED',
      expect.stringContaining('invalid_client'),
    ])
  })
})
