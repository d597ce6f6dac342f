import {
  constants,
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { sql } from '@olytix/postgres'
import { z } from 'zod'
import {
  type KeyAlgorithm,
  openMaterial,
  type SigningKey,
  toPublicJwk,
} from '../src/tokens/key-material.js'
import { aboutKey } from '../src/tokens/key-ring.js'
import { sealingKey, unseal } from '../src/tokens/sealing.js'
import { type Harness, MASTER_KEY } from './harness.js'

export const MAX_IAT_AHEAD_SECONDS = 5

/** Whoever holds the keys can sign anything: opens those of a database with the master key. */
export async function stolenKeys(
  identity: Harness,
  algorithm: KeyAlgorithm,
): Promise<ReadonlyMap<string, SigningKey>> {
  const rows = await identity.owner.many(
    z.object({ id: z.string(), state: z.string(), sealed: z.instanceof(Uint8Array) }),
    sql`select id, state, sealed from signing_keys where algorithm = ${algorithm} order by id`,
  )
  return new Map(
    rows.map(({ id, state, sealed }) => {
      const about = aboutKey(id, algorithm)
      const material = unseal(Buffer.from(sealed), sealingKey(MASTER_KEY), about)
      return [state, openMaterial(id, algorithm, material)]
    }),
  )
}

export function encode(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('base64url')
  return encode(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
}

export function decodePart(token: string, part: 0 | 1): Record<string, unknown> {
  const text = Buffer.from(token.split('.')[part] ?? '', 'base64url').toString()
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
}

/** Signs any header and payload, be they JSON or not, without any check. */
export function forge(header: unknown, payload: unknown, key: KeyObject, alg?: string): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${signature(signed, key, alg ?? algOf(header)).toString('base64url')}`
}

function algOf(header: unknown): string {
  return z.looseObject({ alg: z.string() }).safeParse(header).data?.alg ?? ''
}

export function signature(signed: string, key: KeyObject, alg: string): Buffer {
  const data = Buffer.from(signed)
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('HS')) return createHmac(hash, key).update(data).digest()
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('RS')) return sign(hash, data, key)
  if (alg.startsWith('PS')) {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    return sign(hash, data, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
  }
  if (alg === 'EdDSA') return sign(null, data, key)
  return Buffer.alloc(0)
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed = generateKeyPairSync('ed25519')

/** A stranger's own key for an algorithm. */
export function strangersKey(alg: string): KeyObject {
  if (alg.startsWith('HS')) return createSecretKey(Buffer.alloc(64, 7))
  if (alg === 'ES256') return p256.privateKey
  if (alg === 'ES384') return p384.privateKey
  return alg === 'EdDSA' ? ed.privateKey : rsa.privateKey
}

const FAMILY: Readonly<Record<string, readonly string[]>> = {
  HS256: ['HS384', 'HS512'],
  RS256: ['RS384', 'RS512', 'PS256'],
}

/** The token under every other algorithm: by strangers, and by its own key where that can. */
export function otherAlgorithms(header: object, payload: unknown, key: SigningKey): string[] {
  const { algorithm, signing } = key
  const others = ['HS256', 'ES256', 'RS256', 'PS256', 'HS384', 'ES384', 'EdDSA']
  const strange = others.map((alg) => forge({ ...header, alg }, payload, strangersKey(alg)))
  const own = (FAMILY[algorithm] ?? []).map((alg) => forge({ ...header, alg }, payload, signing))
  return [...strange, ...own]
}

/** HS256 keyed with the public half of an asymmetric key, in every form in which that is published. */
export function keyedWithPublic(header: object, payload: unknown, key: SigningKey): string[] {
  if (key.signing.type === 'secret') return []
  const jwk = toPublicJwk(key)
  const pem = key.verifying.export({ type: 'spki', format: 'pem' }).toString()
  const der = key.verifying.export({ type: 'spki', format: 'der' })
  const texts = [pem, pem.trimEnd(), JSON.stringify(jwk), JSON.stringify({ keys: [jwk] })]
  return [der, ...texts.map((text) => Buffer.from(text))].flatMap((secret) => {
    const by = createSecretKey(secret)
    return [
      forge({ alg: 'HS256', typ: 'JWT' }, payload, by),
      forge({ ...header, alg: 'HS256' }, payload, by),
    ]
  })
}

const ORDER_P256 = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

/** The other valid signature of the same ES256 token: (r, n − s). */
export function twinSignature(token: string): string {
  const [header = '', payload = '', last = ''] = token.split('.')
  const bytes = Buffer.from(last, 'base64url')
  const s = BigInt(`0x${bytes.toString('hex', 32)}`)
  const twin = (ORDER_P256 - s).toString(16).padStart(64, '0')
  const whole = Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin, 'hex')])
  return `${header}.${payload}.${whole.toString('base64url')}`
}

/** ES256 signatures by their two numbers. */
export function withNumbers(token: string, r: bigint, s: bigint): string {
  const hex = [r, s].map((number) => number.toString(16).padStart(64, '0')).join('')
  const signed = token.slice(0, token.lastIndexOf('.'))
  return `${signed}.${Buffer.from(hex, 'hex').toString('base64url')}`
}

export const ORDER = ORDER_P256

/** The same ES256 signature in DER. */
export function derSigned(header: unknown, payload: unknown, key: KeyObject): string {
  const signed = `${encode(header)}.${encode(payload)}`
  const der = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'der' })
  return `${signed}.${der.toString('base64url')}`
}

/** All texts that decoders may take for the same bytes: other unused bits, padding, blanks. */
export function otherSpellings(token: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const body = token.slice(0, -1)
  const lastOnes = Array.from(alphabet)
    .map((last) => body + last)
    .filter((text) => text !== token)
  const dot = token.lastIndexOf('.')
  const inside = `${token.slice(0, dot + 5)} ${token.slice(dot + 5)}`
  const standard = token.replaceAll('-', '+').replaceAll('_', '/')
  return [
    ...lastOnes,
    ...['=', '==', ' ', '\n', '\0', '.'].map((end) => token + end),
    ...[' ', '.', '\n'].map((start) => start + token),
    inside,
    ...(standard === token ? [] : [standard]),
  ]
}
