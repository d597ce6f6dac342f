import { describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { principalSettings } from './settings.js'

describe('what row security of the database is told', () => {
  test('is who asks: id, e-mail, roles and attributes, lists as JSON', () => {
    const principal = aPrincipal({
      id: 'usr_1',
      email: 'ann@x.org',
      roles: ['analyst', `it's`],
      attributes: { region: `West'; --`, level: 3, is_boss: false, regions: ['a,b', '"'] },
    })
    expect(principalSettings(principal)).toEqual({
      'olytix.user_id': 'usr_1',
      'olytix.user_email': 'ann@x.org',
      'olytix.roles': `["analyst","it's"]`,
      'olytix.attributes.region': `West'; --`,
      'olytix.attributes.level': '3',
      'olytix.attributes.is_boss': 'false',
      'olytix.attributes.regions': `["a,b","\\""]`,
    })
  })

  test('is nothing where there is nothing: a key has no e-mail', () => {
    expect(principalSettings(aPrincipal({ roles: [] }))).toEqual({
      'olytix.user_id': 'key_test',
      'olytix.roles': '[]',
    })
  })

  test.each([
    { 'region.x': 'West' },
    { 'x, statement_timeout': '0' },
    { Region: 'West' },
    { '': 'West' },
    { region: 'West\0East' },
    { region: '\ud800' },
    { ['x'.repeat(64)]: 'West' },
  ])('%j cannot be told: FORBIDDEN', (attributes) => {
    expect(() => principalSettings(aPrincipal({ attributes }))).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    )
  })
})
