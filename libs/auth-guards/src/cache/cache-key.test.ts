import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Credential } from '../presented-credential.js'
import { cacheKey } from './cache-key.js'

const credential: fc.Arbitrary<Credential> = fc.record({
  // Few letters, so that pieces of one credential are often pieces of the other.
  text: fc.string({ unit: fc.constantFrom('a', 'b', '.', ':', '1', '6'), maxLength: 8 }),
  source: fc.constantFrom('header', 'query_parameter'),
})

test('different credentials have different names, equal ones the same', () => {
  fc.assert(
    fc.property(credential, credential, (one, other) => {
      const isSame = one.text === other.text && one.source === other.source
      expect(cacheKey(one) === cacheKey(other)).toBe(isSame)
    }),
    { numRuns: 5_000 },
  )
})

test('a name tells nothing of the credential', () => {
  const name = cacheKey({ text: 'olytix-core_key_secret', source: 'header' })
  expect(name).toMatch(/^[A-Za-z0-9+/]{43}=$/)
})
