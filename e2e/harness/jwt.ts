import { createHmac } from 'node:crypto'

/** A token in its three parts, decoded but for the signature. */
export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signature: string
}

export function readJwt(token: string): Jwt {
  const [header = '', claims = '', signature = ''] = token.split('.')
  return { header: decode(header), claims: decode(claims), signature }
}

function decode(part: string): Readonly<Record<string, unknown>> {
  const value: Readonly<Record<string, unknown>> = JSON.parse(
    Buffer.from(part, 'base64url').toString(),
  )
  return value
}

/** A part of a token: of a text as it stands, of anything else its JSON. */
export function part(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(text).toString('base64url')
}

/** A token that somebody who knows `secret` would make. */
export function forge(header: unknown, claims: unknown, secret: string | Buffer): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
