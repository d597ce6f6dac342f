import { z } from 'zod'
import { isAcceptedAlgorithm } from './id-token.js'

const MIN_RSA_BITS = 2048
const CURVE_BY_ALGORITHM: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
}

const keyShape = z.looseObject({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  use: z.literal('sig').optional(),
  key_ops: z.array(z.string()).optional(),
  alg: z.string().optional(),
  crv: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
  d: z.never().optional(),
})

type Key = z.output<typeof keyShape>

/**
 * The keys of a provider's set that may sign ID tokens: public, for signatures, of a strength that holds, and used as
 * they are meant. The others are left out, as if the provider had not published them.
 */
export function usableKeys(keys: readonly unknown[]): unknown[] {
  return keys.filter((key) => {
    const parsed = keyShape.safeParse(key)
    return parsed.success && isMeantForVerifying(parsed.data) && isSound(parsed.data)
  })
}

function isMeantForVerifying({ key_ops: operations, alg }: Key): boolean {
  const mayVerify = operations === undefined || operations.includes('verify')
  return mayVerify && (alg === undefined || isAcceptedAlgorithm(alg))
}

function isSound(key: Key): boolean {
  if (key.kty === 'RSA') return isSoundRsa(key)
  if (key.kty === 'EC') return isSoundCurve(key)
  return key.crv === 'Ed25519' && (key.alg === undefined || /^Ed/.test(key.alg))
}

function isSoundRsa({ n = '', e = '', alg }: Key): boolean {
  const exponent = integer(e)
  const isRsa = alg === undefined || /^[RP]S/.test(alg)
  return isRsa && bits(integer(n)) >= MIN_RSA_BITS && exponent > 2n && exponent % 2n === 1n
}

function isSoundCurve({ crv = '', alg }: Key): boolean {
  if (alg !== undefined) return CURVE_BY_ALGORITHM[alg] === crv
  return Object.values(CURVE_BY_ALGORITHM).includes(crv)
}

function integer(base64url: string): bigint {
  const hex = Buffer.from(base64url, 'base64url').toString('hex')
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}

function bits(value: bigint): number {
  return value.toString(2).length
}
