import { describe, expect, test } from '@jest/globals'
import type { Scope } from '@olytix/auth-guards'
import { defaultRole, intersect, isScope, missingScopes, withImplied } from './scopes.js'

describe('scopes', () => {
  test.each<[Scope[], Scope[]]>([
    [[], []],
    [['read'], ['read']],
    [['write'], ['write']],
    [
      ['write', 'read'],
      ['read', 'write'],
    ],
    [['admin'], ['read', 'write', 'admin']],
  ])('%j implies %j: admin the others, write not read', (held, implied) => {
    expect(withImplied(held)).toEqual(implied)
  })

  test.each<[Scope[][], Scope[]]>([
    [[], []],
    [[['admin'], ['read']], ['read']],
    [[['write'], ['admin']], ['write']],
    [[['write'], ['read']], []],
    [[['admin'], ['admin'], []], []],
    [
      [['admin'], ['admin']],
      ['read', 'write', 'admin'],
    ],
  ])('grants %j agree on %j', (grants, agreed) => {
    expect(intersect(grants)).toEqual(agreed)
  })

  test.each<[Scope[], Scope[], Scope[]]>([
    [['admin'], ['read', 'write', 'admin'], []],
    [['write'], ['read', 'write'], ['read']],
    [['read'], ['admin'], ['admin']],
    [[], ['read'], ['read']],
  ])('who holds %j and gives %j lacks %j', (held, wanted, missing) => {
    expect(missingScopes(held, wanted)).toEqual(missing)
  })

  test.each<[Scope[], string]>([
    [['read'], 'viewer'],
    [['write'], 'developer'],
    [['read', 'write'], 'developer'],
    [['read', 'admin'], 'admin'],
  ])('%j gives the role %s by default', (scopes, role) => {
    expect(defaultRole(scopes)).toBe(role)
  })

  test('only the three names are scopes', () => {
    expect(['read', 'write', 'admin', 'Read', '', 'constructor'].filter(isScope)).toEqual([
      'read',
      'write',
      'admin',
    ])
  })
})
