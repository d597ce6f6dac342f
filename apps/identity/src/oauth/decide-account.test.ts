import { describe, expect, test } from '@jest/globals'
import { type CandidateAccount, decideAccount } from './decide-account.js'

const DOMAINS = ['example.com']

function anAccount(changes: Partial<CandidateAccount> = {}): CandidateAccount {
  return { isDisabled: false, isVerified: true, hasOtherIdentity: false, ...changes }
}

function aPerson(emailVerified: boolean, email = 'ada@example.com') {
  return { email, emailVerified }
}

describe('somebody whom no account is linked to', () => {
  test.each`
    provider | local    | exists   | outcome
    ${true}  | ${true}  | ${true}  | ${'link'}
    ${true}  | ${false} | ${true}  | ${'unverified_account'}
    ${false} | ${true}  | ${true}  | ${'unverified_address'}
    ${false} | ${false} | ${true}  | ${'unverified_address'}
    ${true}  | ${true}  | ${false} | ${'create'}
    ${true}  | ${false} | ${false} | ${'create'}
    ${false} | ${true}  | ${false} | ${'unverified_address'}
    ${false} | ${false} | ${false} | ${'unverified_address'}
  `(
    'address verified by the provider $provider, here $local, account exists $exists: $outcome',
    ({ provider, local, exists, outcome }: Record<string, unknown>) => {
      const account = exists === true ? anAccount({ isVerified: local === true }) : undefined
      const candidates = { linked: undefined, local: account }
      const decision = decideAccount(aPerson(provider === true), candidates, DOMAINS)
      expect(decision.kind === 'refuse' ? decision.reason : decision.kind).toBe(outcome)
    },
  )

  test.each([
    ['ada@example.com', 'create'],
    ['Ada@EXAMPLE.com', 'create'],
    ['ada@sub.example.com', 'domain_not_allowed'],
    ['ada@evilexample.com', 'domain_not_allowed'],
    ['ada@example.com.evil.test', 'domain_not_allowed'],
    ['ada@example.org', 'domain_not_allowed'],
    ['ada@example.com@evil.test', 'no_address'],
    ['ada', 'no_address'],
    ['', 'no_address'],
  ])('and whom we do not know, with the address %s: %s', (email, outcome) => {
    const candidates = { linked: undefined, local: undefined }
    const decision = decideAccount(aPerson(true, email), candidates, DOMAINS)
    expect(decision.kind === 'refuse' ? decision.reason : decision.kind).toBe(outcome)
  })

  test('gets no account when no domain is allowed', () => {
    const candidates = { linked: undefined, local: undefined }
    expect(decideAccount(aPerson(true), candidates, [])).toMatchObject({
      reason: 'domain_not_allowed',
    })
  })

  test('is linked whatever domains are allowed: the account is there already', () => {
    const candidates = { linked: undefined, local: anAccount() }
    expect(decideAccount(aPerson(true), candidates, [])).toMatchObject({ kind: 'link' })
  })

  test('does not reach an account that another subject of the provider has', () => {
    const candidates = { linked: undefined, local: anAccount({ hasOtherIdentity: true }) }
    expect(decideAccount(aPerson(true), candidates, DOMAINS)).toMatchObject({
      reason: 'another_identity',
    })
  })

  test('does not reach a disabled account', () => {
    const candidates = { linked: undefined, local: anAccount({ isDisabled: true }) }
    expect(decideAccount(aPerson(true), candidates, DOMAINS)).toMatchObject({
      reason: 'disabled_user',
    })
  })
})

describe('somebody whom an account is linked to', () => {
  test.each([
    [aPerson(true)],
    [aPerson(false)],
    [aPerson(true, 'new-name@example.org')],
    [{ emailVerified: false }],
  ])('signs in, whatever the provider says of the address: %j', (person) => {
    const linked = anAccount({ isVerified: false })
    const decision = decideAccount(person, { linked, local: undefined }, [])
    expect(decision).toEqual({ kind: 'sign_in', account: linked })
  })

  test('does not when it is disabled', () => {
    const candidates = { linked: anAccount({ isDisabled: true }), local: undefined }
    expect(decideAccount(aPerson(true), candidates, DOMAINS)).toMatchObject({
      reason: 'disabled_user',
    })
  })
})
