import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { API_KEY_PATTERN, generateApiKey, parseApiKey } from './api-key.js'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const PREFIX = 'olytix-core_key_'

const anyKey = fc
  .uint8Array({ minLength: 26, maxLength: 26 })
  .map((bytes) => generateApiKey((count) => bytes.map((byte) => byte % 252).slice(0, count)))

describe('an API key', () => {
  test('has the documented form and is read back with its hint', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(key.secret).toMatch(API_KEY_PATTERN)
        expect(key.secret).toHaveLength(PREFIX.length + 33)
        expect(parseApiKey(key.secret)).toEqual(key)
        expect(key.secret.slice(PREFIX.length, PREFIX.length + 4)).toBe(key.hint)
      }),
    )
  })

  test('has a checksum that anybody can compute: CRC-32 of the 26 characters in base 36', () => {
    const { secret } = generateApiKey((count) => new Uint8Array(count))
    expect(secret).toBe(`${PREFIX}${'0'.repeat(26)}1nhstky`)
  })

  test('fails with any one character changed', () => {
    fc.assert(
      fc.property(
        anyKey,
        fc.nat(32),
        fc.constantFrom(...Array.from(ALPHABET)),
        ({ secret }, at, other) => {
          const position = PREFIX.length + at
          fc.pre(secret.charAt(position) !== other)
          const changed = secret.slice(0, position) + other + secret.slice(position + 1)
          expect(parseApiKey(changed)).toBeUndefined()
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('fails with any two neighbours swapped', () => {
    fc.assert(
      fc.property(anyKey, fc.nat(31), ({ secret }, at) => {
        const position = PREFIX.length + at
        const [first, second] = [secret.charAt(position), secret.charAt(position + 1)]
        fc.pre(first !== second)
        const swapped = secret.slice(0, position) + second + first + secret.slice(position + 2)
        expect(parseApiKey(swapped)).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })

  const { secret } = generateApiKey(randomBytes)
  test.each([
    ['another case of the prefix', secret.replace('olytix', 'Olytix')],
    ['upper case', secret.toUpperCase()],
    ['a hyphen for an underscore', secret.replace('_key_', '-key_')],
    ['full-width letters', secret.replace('o', 'ｏ')],
    ['a trailing blank', `${secret} `],
    ['a leading blank', ` ${secret}`],
    ['a trailing newline', `${secret}\n`],
    ['a trailing NUL', `${secret}\0`],
    ['a character too many', `${secret}0`],
    ['a character too few', secret.slice(0, -1)],
    ['the prefix alone', PREFIX],
    ['nothing', ''],
  ])('with %s is no key', (_what, text) => {
    expect(parseApiKey(text)).toBeUndefined()
  })
})

describe('the random characters of new keys', () => {
  test('are evenly spread over a million characters (chi-square)', () => {
    const counts = new Map(Array.from(ALPHABET, (character) => [character, 0]))
    let total = 0
    while (total < 1_000_000) {
      for (const character of generateApiKey(randomBytes).secret.slice(PREFIX.length, -7)) {
        counts.set(character, (counts.get(character) ?? 0) + 1)
        total += 1
      }
    }
    const expected = total / ALPHABET.length
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    )
    // 35 degrees of freedom: a fair source stays below 89 but once in a million runs; a byte modulo 36 gives 1,950.
    expect(chiSquare).toBeLessThan(89)
  })

  test('do not use the bytes that would favour some characters', () => {
    const source = [252, 253, 254, 255]
    let calls = 0
    const { secret } = generateApiKey((count) => {
      calls += 1
      return new Uint8Array(count).map((_, index) => (calls === 1 ? (source[index % 4] ?? 0) : 35))
    })
    expect(secret.slice(PREFIX.length, -7)).toBe('z'.repeat(26))
  })
})
