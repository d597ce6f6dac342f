import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { presetOf } from '../../src/oauth/provider-presets.js'
import { LyingProvider } from './lying-provider.js'
import { dressedAs, signInAtPublic } from './public-provider.js'

const ISSUER = presetOf('google', false).issuer ?? ''

let provider: LyingProvider

beforeAll(async () => {
  provider = await LyingProvider.start()
  provider.lies = dressedAs({ issuer: ISSUER, signsAs: ISSUER })
})

afterAll(() => provider.stop())

const COMPANY = { email: 'ada@example.com', email_verified: true }
const GMAIL = { email: 'ada@gmail.com', email_verified: true }

describe('with Google, an address is proved by', () => {
  test.each([
    ['the Workspace of its domain', { ...COMPANY, hd: 'example.com' }],
    ['the Workspace in other letters', { ...COMPANY, hd: 'Example.COM' }],
    ['being one of Gmail', GMAIL],
  ])('%s', async (_what, said) => {
    provider.person = { sub: 'person-1', ...said }
    expect(await signInAtPublic(ISSUER, provider)).toMatchObject({
      issuer: 'https://accounts.google.com',
      email: said.email,
      emailVerified: true,
    })
  })
})

describe('with Google, an address is not proved by', () => {
  test.each([
    ['a private account on the address of a company', COMPANY],
    ['another Workspace', { ...COMPANY, hd: 'elsewhere.example' }],
    [
      'the Workspace of a domain above',
      { ...COMPANY, email: 'ada@eu.example.com', hd: 'example.com' },
    ],
    ['the Workspace of a domain below', { ...COMPANY, hd: 'eu.example.com' }],
    ['a list of Workspaces', { ...COMPANY, hd: ['example.com'] }],
    ['a Workspace without email_verified', { email: 'ada@example.com', hd: 'example.com' }],
    ['email_verified as text', { ...COMPANY, email_verified: 'true', hd: 'example.com' }],
    ['Gmail without email_verified', { ...GMAIL, email_verified: false }],
    ['a domain that ends like Gmail', { ...GMAIL, email: 'ada@notgmail.com' }],
    ['a domain that begins like Gmail', { ...GMAIL, email: 'ada@gmail.com.example' }],
  ])('%s', async (_what, said) => {
    provider.person = { sub: 'person-1', ...said }
    expect(await signInAtPublic(ISSUER, provider)).toMatchObject({
      email: said.email,
      emailVerified: false,
    })
  })
})
