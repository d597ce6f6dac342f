import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { presetOf } from '../../src/oauth/provider-presets.js'
import { LyingProvider } from './lying-provider.js'
import { providersFor, refusal, settingsFor, signIn } from './provider-client.js'
import { dressedAs, signInAtPublic } from './public-provider.js'

const MICROSOFT = 'https://login.microsoftonline.com'
const TENANT = '11111111-2222-4333-8444-555555555555'

let provider: LyingProvider

beforeAll(async () => {
  provider = await LyingProvider.start()
})

afterAll(() => provider.stop())

beforeEach(() => {
  provider.person = { sub: 'person-1', email: 'ada@example.com' }
  provider.lies = dressedAs({
    issuer: `${MICROSOFT}/{tenantid}/v2.0`,
    signsAs: `${MICROSOFT}/${TENANT}/v2.0`,
    claims: { tid: TENANT },
  })
})

const enter = () => signInAtPublic(presetOf('microsoft', false).issuer ?? '', provider)

describe('with Microsoft', () => {
  test('the issuer of a person is their directory', async () => {
    expect(await enter()).toMatchObject({
      issuer: `${MICROSOFT}/${TENANT}/v2.0`,
      subject: 'person-1',
    })
  })

  test.each([
    ['xms_edov', { xms_edov: true }, true],
    ['xms_edov as it sometimes comes', { xms_edov: '1' }, true],
    ['xms_edov false', { xms_edov: false }, false],
    ['nothing', {}, false],
    ['email_verified, which a directory can be made to say', { email_verified: true }, false],
  ])('an address with %s', async (_name, said, expected) => {
    provider.person = { ...provider.person, ...said }
    const profile = await enter()
    expect([profile.email, profile.emailVerified]).toEqual(['ada@example.com', expected])
  })

  test('a directory that the token does not name as its own is refused', async () => {
    const { claims } = provider.lies
    provider.lies = { ...provider.lies, claims: (said) => ({ ...claims?.(said), tid: 'another' }) }
    await expect(enter()).rejects.toThrow('unexpected JWT claim value')
  })
})

test('a host that openid-client lets name any issuer may name none but its own', async () => {
  const { port } = new URL(provider.issuer)
  const issuer = `http://company.b2clogin.com:${port}`
  const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  const providers = providersFor(settingsFor(issuer), { fetch: { resolve } })
  const enterThere = () =>
    signIn(providers, (url) =>
      provider.signIn(new URL(`${provider.issuer}/authorize${url.search}`)),
    )
  const lieAs = (iss: string): void => {
    provider.lies = {
      discovery: (metadata) => ({ ...metadata, issuer: iss }),
      claims: (said) => ({ ...said, iss }),
    }
  }
  lieAs(`${issuer}/v2.0`)
  expect(await enterThere()).toMatchObject({ issuer: `${issuer}/v2.0` })
  lieAs('https://accounts.google.com')
  expect((await refusal(enterThere())).cause).toContain('of another issuer')
})
