import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { usableKeys } from './provider-keys.js'

const beside = fileURLToPath(new URL('../../../../../../shared/vectors', import.meta.url))
const folder = process.env['OLYTIX_TEST__VECTORS'] ?? beside
const file = path.join(folder, 'wycheproof/json_web_key_test.json')

const SECRET =
  'the key is a secret: a provider that publishes it has none, and no such key is taken'

/** Where keys of a valid case are refused, or keys of an invalid one are taken, and why. */
const DEVIATIONS: Readonly<Record<number, string>> = {
  1: 'only the public key of the set is taken, so that nothing is ambiguous',
  2: SECRET,
  7: 'ROCA is a flaw of one maker’s cards that leaves a trace; a provider with such a key breaks only its own sign-in',
  13: SECRET,
  14: SECRET,
  15: SECRET,
  22: 'a point that is not on its curve is refused when the key is imported',
}

const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())) })
const vectors = z.object({
  testGroups: z.array(
    z.object({
      private: keySet,
      public: keySet.optional(),
      tests: z.array(z.object({ tcId: z.int(), comment: z.string(), result: z.string() })),
    }),
  ),
})

const cases = existsSync(file)
  ? vectors
      .parse(JSON.parse(readFileSync(file, 'utf8')))
      .testGroups.flatMap((group) =>
        group.tests.map((each) => ({ ...each, keys: published(group.public ?? group.private) })),
      )
  : []

describe('the published vectors for JSON Web Keys', () => {
  if (cases.length === 0) {
    test.skip(`are not at ${folder}: set OLYTIX_TEST__VECTORS`, () => undefined)
    return
  }

  test('are all there', () => {
    expect(cases.length).toBe(26)
  })

  test.each(cases)('$tcId: $comment is $result', ({ tcId, result, keys }) => {
    const taken = usableKeys(keys).length > 0
    expect(taken).toBe((result === 'valid') !== tcId in DEVIATIONS)
  })
})

/** The vectors show private keys; a provider publishes the other half. */
function published({ keys }: z.output<typeof keySet>): unknown[] {
  return keys.map(({ d: _, p: __, q: ___, dp: ____, dq: _____, qi: ______, ...key }) => key)
}
