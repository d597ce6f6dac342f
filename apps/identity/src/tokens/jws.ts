import type { KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'

/** The parts of a JWS in compact form, decoded. */
export interface JwsParts {
  readonly header: string
  readonly payload: string
}

/** Longest token that is looked at, in characters. */
const MAX_LENGTH = 8192

/**
 * RFC 7515 §3.1, read strictly: three parts of canonical base64url, header and payload well-formed UTF-8. One token
 * has one spelling; decoders that skip unused bits, padding or blanks know several.
 * @returns `undefined` for anything else
 */
export function splitJws(text: string): JwsParts | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [header, payload, signature, ...rest] = text.split('.').map(decode)
  if (!header || !payload || !signature || rest.length > 0) return undefined
  const texts = { header: utf8(header), payload: utf8(payload) }
  return texts.header === undefined || texts.payload === undefined
    ? undefined
    : { header: texts.header, payload: texts.payload }
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

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
