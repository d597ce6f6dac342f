import type { KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'

/** The parts of a JWS in compact form, decoded. */
export interface JwsParts {
  readonly header: Buffer
  readonly payload: Buffer
}

/** Longest token that is looked at, in characters. */
const MAX_LENGTH = 8192

/**
 * RFC 7515 §3.1, read strictly: three parts of canonical base64url. One token has one spelling; decoders that skip
 * unused bits, padding or blanks know several.
 * @returns `undefined` for anything else
 */
export function splitJws(text: string): JwsParts | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [header, payload, signature, ...rest] = text.split('.').map(decode)
  return header && payload && signature && rest.length === 0 ? { header, payload } : undefined
}

/** Whether the signature is good under exactly this algorithm. The token must be one that `splitJws` takes. */
export async function isSignatureGood(
  text: string,
  key: KeyObject,
  algorithm: string,
): Promise<boolean> {
  try {
    await compactVerify(text, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

/** Signs a payload as it is, byte for byte. */
export function signJws(
  payload: string,
  header: { readonly alg: string; readonly typ: string; readonly kid?: string },
  key: KeyObject,
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header).sign(key)
}

/** @returns `undefined` unless the text is what base64url makes of the bytes */
function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}
