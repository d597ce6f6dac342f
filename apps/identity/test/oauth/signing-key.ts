import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  constants,
  sign,
} from 'node:crypto'

export type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

/** A provider's key pair. */
export class SigningKey {
  readonly publicKey: KeyObject
  readonly jwk: Record<string, unknown>
  private readonly privateKey: KeyObject

  constructor(
    readonly algorithm: Algorithm,
    rsaBits = 2048,
  ) {
    const pair = generate(algorithm, rsaBits)
    this.publicKey = pair.publicKey
    this.privateKey = pair.privateKey
    const kid = randomBytes(8).toString('hex')
    this.jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm }
  }

  /** The signature part of a JSON Web Token. */
  sign(input: string): string {
    const data = Buffer.from(input)
    return sign(this.algorithm === 'EdDSA' ? null : 'sha256', data, {
      key: this.privateKey,
      ...(this.algorithm === 'PS256'
        ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
        : {}),
      dsaEncoding: 'ieee-p1363',
    }).toString('base64url')
  }

  /** `at_hash` of an access token. */
  leftHalf(accessToken: string): string {
    const hash = createHash(this.algorithm === 'EdDSA' ? 'sha512' : 'sha256')
    const digest = hash.update(accessToken).digest()
    return digest.subarray(0, digest.length / 2).toString('base64url')
  }
}

function generate(algorithm: Algorithm, modulusLength: number): KeyPairKeyObjectResult {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength })
}
