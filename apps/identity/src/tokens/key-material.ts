import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'

/** How access tokens are signed. */
export type SigningAlgorithm = 'HS256' | 'ES256' | 'RS256'

/** The algorithm of a signing key; `HMAC-SHA-256` keys make refresh tokens. */
export type KeyAlgorithm = SigningAlgorithm | 'HMAC-SHA-256'

export const SIGNING_ALGORITHMS = [
  'HS256',
  'ES256',
  'RS256',
] as const satisfies readonly SigningAlgorithm[]

/** A signing key, opened. */
export interface SigningKey {
  /** Its `kid`. */
  readonly id: string
  readonly algorithm: KeyAlgorithm
  readonly signing: KeyObject
  /** The same as `signing` for a symmetric key. */
  readonly verifying: KeyObject
}

const SECRET_BYTES = 32
const RSA_BITS = 2048
const generate = promisify(generateKeyPair)

/** New key material: 32 random bytes, or a private key as PKCS #8. */
export async function generateMaterial(algorithm: KeyAlgorithm): Promise<Buffer> {
  if (algorithm === 'ES256') {
    const { privateKey } = await generate('ec', { namedCurve: 'P-256' })
    return privateKey.export({ type: 'pkcs8', format: 'der' })
  }
  if (algorithm === 'RS256') {
    const { privateKey } = await generate('rsa', { modulusLength: RSA_BITS })
    return privateKey.export({ type: 'pkcs8', format: 'der' })
  }
  return randomBytes(SECRET_BYTES)
}

export function openMaterial(id: string, algorithm: KeyAlgorithm, material: Buffer): SigningKey {
  if (algorithm === 'HS256' || algorithm === 'HMAC-SHA-256') {
    const key = createSecretKey(material)
    return { id, algorithm, signing: key, verifying: key }
  }
  const signing = createPrivateKey({ key: material, type: 'pkcs8', format: 'der' })
  return { id, algorithm, signing, verifying: createPublicKey(signing) }
}

/** RFC 7517 §4: the public half of an asymmetric key. */
export function toPublicJwk({ id, algorithm, verifying }: SigningKey): JsonWebKey {
  return { ...verifying.export({ format: 'jwk' }), kid: id, alg: algorithm, use: 'sig' }
}
