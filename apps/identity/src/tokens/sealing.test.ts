import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { seal, sealingKey, unseal } from './sealing.js'

const KEY = sealingKey('a master key that is long enough to be one')
const SECRET = Buffer.from('the secret')

describe('a sealed secret', () => {
  test('opens with the key and the name that sealed it, and shows nothing until then', () => {
    const sealed = seal(SECRET, KEY, 'ES256 sgk_1')
    expect(unseal(sealed, KEY, 'ES256 sgk_1')).toEqual(SECRET)
    expect(sealed.includes(SECRET)).toBe(false)
  })

  test('is never sealed twice alike', () => {
    expect(seal(SECRET, KEY, 'a')).not.toEqual(seal(SECRET, KEY, 'a'))
  })

  test('does not open with another key or under another name', () => {
    const sealed = seal(SECRET, KEY, 'HS256 sgk_1')
    expect(() => unseal(sealed, sealingKey('another master key'), 'HS256 sgk_1')).toThrow()
    expect(() => unseal(sealed, KEY, 'HS256 sgk_2')).toThrow()
    expect(() => unseal(sealed, KEY, 'ES256 sgk_1')).toThrow()
  })

  test('does not open with any byte changed or cut off', () => {
    const sealed = seal(SECRET, KEY, 'a')
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => unseal(changed, KEY, 'a')).toThrow()
      expect(() => unseal(sealed.subarray(0, at), KEY, 'a')).toThrow()
    }
  })

  test('of an unknown version is refused as such', () => {
    expect(() => unseal(Buffer.concat([Buffer.of(2), randomBytes(60)]), KEY, 'a')).toThrow(
      /unknown version/,
    )
  })
})
