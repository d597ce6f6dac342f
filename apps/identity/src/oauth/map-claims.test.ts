import { describe, expect, test } from '@jest/globals'
import { grantable, type Grants, type KnownRoles, mapClaims } from './map-claims.js'
import type { ClaimsMapping } from './provider-settings.js'

const KNOWN: KnownRoles = new Map([
  ['admin', ['admin']],
  ['analyst', ['read']],
  ['developer', ['read', 'write']],
  ['owners', ['admin']],
  ['viewer', ['read']],
])

const MAPPING: ClaimsMapping = {
  roles: {
    from: 'groups',
    map: {
      analysts: ['analyst'],
      builders: ['developer', 'analyst'],
      owners: ['admin', 'owners'],
      typo: ['analist'],
    },
  },
  attributes: { region: 'region', level: 'job_level' },
  allowAdmin: false,
}

function mapped(
  claims: Readonly<Record<string, unknown>>,
  present: Partial<Grants> = {},
  mapping: Partial<ClaimsMapping> = {},
): Grants {
  const grants = { roles: [], attributes: {}, ...present }
  return mapClaims(claims, grants, { mapping: { ...MAPPING, ...mapping }, known: KNOWN })
}

describe('roles', () => {
  test.each([
    ['a list', ['analysts'], ['analyst']],
    ['one text', 'analysts', ['analyst']],
    ['several groups with one role', ['builders', 'analysts'], ['analyst', 'developer']],
    ['groups that are not mapped', ['staff', 'analysts'], ['analyst']],
    ['a group in another case', ['Analysts'], []],
    ['a group whose role does not exist', ['typo'], []],
    ['a group that gives admin', ['owners'], []],
    ['what every object has', ['constructor', '__proto__', 'toString'], []],
    ['no list', { analysts: true }, []],
    ['a list of other things', [1, null, ['analysts'], { name: 'analysts' }], []],
    ['a blank list in one text', 'analysts builders', []],
    ['nothing', undefined, []],
  ])('come from %s', (_what, groups, roles) => {
    expect(mapped({ groups }).roles).toEqual(roles)
  })

  test('that the map can give go when the claim is gone; others stay', () => {
    const roles = ['analyst', 'developer', 'viewer']
    expect(mapped({ groups: ['analysts'] }, { roles }).roles).toEqual(['analyst', 'viewer'])
    expect(mapped({}, { roles }).roles).toEqual(['viewer'])
  })

  test('that hold admin are neither given nor taken', () => {
    expect(mapped({ groups: ['owners'] }, { roles: [] }).roles).toEqual([])
    expect(mapped({ groups: [] }, { roles: ['admin', 'owners'] }).roles).toEqual([
      'admin',
      'owners',
    ])
  })

  test('that hold admin come and go once the mapping allows it', () => {
    const allowAdmin = { allowAdmin: true }
    expect(mapped({ groups: ['owners'] }, {}, allowAdmin).roles).toEqual(['admin', 'owners'])
    expect(mapped({}, { roles: ['admin', 'viewer'] }, allowAdmin).roles).toEqual(['viewer'])
  })

  test('stay as they are without a map', () => {
    const roles = ['admin', 'analyst']
    const mapping = { attributes: {}, allowAdmin: false }
    const present = { roles, attributes: {} }
    expect(mapClaims({ groups: [] }, present, { mapping, known: KNOWN }).roles).toEqual(roles)
  })

  test('of a new account are those that exist and do not hold admin', () => {
    const wanted = ['viewer', 'admin', 'nobody']
    expect(grantable(wanted, KNOWN, false)).toEqual(['viewer'])
    expect(grantable(wanted, KNOWN, true)).toEqual(['viewer', 'admin'])
  })
})

describe('attributes', () => {
  test.each([
    ['text', 'West'],
    ['empty text', ''],
    ['a number', 7.5],
    ['false', false],
    ['a list', ['West', 'East']],
    ['an empty list', []],
  ])('are %s', (_what, region) => {
    expect(mapped({ region }).attributes).toEqual({ region })
  })

  test.each([
    ['is missing', undefined],
    ['is null', null],
    ['is an object', { name: 'West' }],
    ['is a list of lists', [['West']]],
    ['is a list with a hole', ['West', null]],
    ['is not finite', Infinity],
    ['holds U+0000', 'We\0st'],
    ['holds half a character', 'We\ud800st'],
    ['is a list without end', Array.from({ length: 1001 }, () => 'West')],
  ])('go when their claim %s', (_what, region) => {
    const attributes = { region: 'East', team: 'blue' }
    expect(mapped({ region }, { attributes }).attributes).toEqual({ team: 'blue' })
  })

  test('are named by the mapping, not by the claim', () => {
    const claims = { job_level: 3, level: 9, team: 'red' }
    expect(mapped(claims).attributes).toEqual({ level: 3 })
  })

  test('are never what every object has', () => {
    const attributes = { region: 'constructor', level: '__proto__' }
    expect(mapped({}, {}, { attributes }).attributes).toEqual({})
  })
})
