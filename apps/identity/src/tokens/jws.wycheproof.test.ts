import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { isSignatureGood, splitJws } from './jws.js'

const beside = fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url))
const folder = process.env['OLYTIX_TEST__VECTORS'] ?? beside
const file = path.join(folder, 'wycheproof/json_web_signature_test.json')

/** Where we answer otherwise than the vectors, and why. */
const DEVIATIONS: Readonly<Record<number, string>> = {
  346: 'the header says PS384, the key PS256: one key has one algorithm',
  350: 'the header says PS384, the key PS256: one key has one algorithm',
  353: 'use of a key is judged where keys are imported; ours are made here',
  354: 'use of a key is judged where keys are imported; ours are made here',
  355: 'key_ops of a key is judged where keys are imported; ours are made here',
  356: 'key_ops of a key is judged where keys are imported; ours are made here',
  367: 'the text is that of the valid case 357, whatever it is called',
  370: 'the text is that of the valid case 357, whatever it is called',
  372: 'a lenient base64 decoder would take it; one token has one spelling',
  373: 'a lenient base64 decoder would take it; one token has one spelling',
}

const vectors = z.object({
  testGroups: z.array(
    z.object({
      comment: z.string(),
      public: z.looseObject({ alg: z.string().optional() }).optional(),
      private: z.looseObject({ alg: z.string().optional() }).optional(),
      tests: z.array(
        z.object({
          tcId: z.int(),
          comment: z.string(),
          jws: z.unknown(),
          result: z.enum(['valid', 'invalid']),
        }),
      ),
    }),
  ),
})

const cases = existsSync(file)
  ? vectors
      .parse(JSON.parse(readFileSync(file, 'utf8')))
      .testGroups.flatMap((group) =>
        group.tests.map((each) => ({ ...each, jwk: group.public ?? group.private ?? {} })),
      )
  : []

describe('the published vectors for JSON Web Signatures', () => {
  if (cases.length === 0) {
    test.skip(`are not at ${folder}: set OLYTIX_TEST__VECTORS`, () => undefined)
    return
  }

  test('are all there', () => {
    expect(cases.length).toBe(401)
  })

  test.each(cases)('$tcId: $comment is $result', async ({ tcId, jws, result, jwk }) => {
    const accepted = await isAccepted(jws, jwk)
    expect(accepted).toBe((result === 'valid') !== tcId in DEVIATIONS)
  })
})

async function isAccepted(jws: unknown, jwk: { alg?: string | undefined }): Promise<boolean> {
  if (typeof jws !== 'string' || !splitJws(jws)) return false
  const algorithm = jwk.alg === 'ES521' ? 'ES512' : (jwk.alg ?? algorithmOf(jws))
  return isSignatureGood(jws, importKey(jwk), algorithm)
}

/** For the few keys that do not say. */
function algorithmOf(jws: string): string {
  const header = Buffer.from(jws.slice(0, jws.indexOf('.')), 'base64url').toString()
  return z.looseObject({ alg: z.string() }).parse(JSON.parse(header)).alg
}

function importKey(jwk: JsonWebKey): KeyObject {
  return jwk.kty === 'oct'
    ? createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
    : createPublicKey({ key: jwk, format: 'jwk' })
}
