import { describe, expect, test } from '@jest/globals'
import { decide, type Demand, denied, type HeldCredential } from './decide.js'

const NOW = new Date('2026-11-24T10:00:00.000Z')

function aCredential(changes: Partial<HeldCredential> = {}): HeldCredential {
  return {
    id: 'key_1',
    sessionId: null,
    kind: 'api_key',
    email: null,
    name: 'A key',
    roles: ['viewer'],
    attributes: {},
    scopes: ['read'],
    expiresAt: new Date('2026-11-25T00:00:00.000Z'),
    isRevoked: false,
    isDisabled: false,
    isUserEnded: false,
    isAddressAllowed: true,
    hasAllowList: false,
    rateLimit: null,
    dependsOn: ['key_1', 'usr_1', 'role:viewer'],
    revision: 7,
    ...changes,
  }
}

const READ: Demand = { source: 'header', requiredScopes: ['read'], clientIp: null }

describe('a decision', () => {
  test.each([
    [{ isRevoked: true, isDisabled: true, expiresAt: NOW }, 'revoked_credential'],
    [{ expiresAt: NOW, isDisabled: true }, 'expired_credential'],
    [{ isDisabled: true, isUserEnded: true }, 'disabled_credential'],
    [{ isUserEnded: true, isAddressAllowed: false }, 'disabled_user'],
  ] as const)('on a credential that is %j is %s and names nobody', (changes, reason) => {
    expect(decide(aCredential(changes), READ, NOW)).toEqual({
      ...denied(reason),
      heldId: 'key_1',
      sessionId: null,
      revision: 7,
    })
  })

  test.each([
    [{ isAddressAllowed: false, scopes: [] }, 'address_not_allowed'],
    [{ scopes: ['write'] }, 'insufficient_scope'],
    [{ scopes: [] }, 'insufficient_scope'],
  ] as const)('on a credential that is %j is %s and names the principal', (changes, reason) => {
    const decision = decide(aCredential(changes), READ, NOW)
    expect(decision).toMatchObject({ denialReason: reason, principal: { id: 'key_1' } })
    expect(decision.cacheTtlMs).toBe(0)
  })

  test('demands every scope that is asked for', () => {
    const demand: Demand = { ...READ, requiredScopes: ['read', 'write'] }
    const both = aCredential({ scopes: ['read', 'write'] })
    expect(decide(both, demand, NOW).denialReason).toBeNull()
    expect(decide(aCredential(), demand, NOW).denialReason).toBe('insufficient_scope')
  })

  test('without a demand only says who it is, even without any scope', () => {
    const decision = decide(aCredential({ scopes: [] }), { ...READ, requiredScopes: [] }, NOW)
    expect(decision).toMatchObject({ denialReason: null, principal: { scopes: [] } })
  })

  test.each([
    [{}, 60_000],
    [{ expiresAt: new Date(NOW.getTime() + 20) }, 20],
    [{ hasAllowList: true }, 0],
    [{ rateLimit: { requests: 1, perSeconds: 1 } }, 0],
  ])('on a credential that is %j may be reused for %d ms', (changes, ttl) => {
    expect(decide(aCredential(changes), READ, NOW).cacheTtlMs).toBe(ttl)
  })
})
