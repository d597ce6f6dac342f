import { ident, type Sql, sql, trusted } from '@olytix/postgres'
import type { MaskedColumn } from '../rls/masks.js'
import { parenthesized } from './render-value.js'

/** A column that stands in place of a masked member. NULL stays NULL where the mask is made of the value. */
export function renderMask(masked: MaskedColumn, alias: string): Sql {
  return sql`${maskOf(masked, alias)} as ${ident(masked.column)}`
}

function maskOf({ mask, type, expression }: MaskedColumn, alias: string): Sql {
  const typeName = trusted(TYPES[type])
  if (mask === 'null') return sql`null::${typeName}`
  if (typeof mask === 'object' && 'value' in mask) return sql`${mask.value}::${typeName}`
  if (!expression) throw new Error('a mask that is made of the value needs it')
  const text = sql`${parenthesized({ alias, expression, type })}::text`
  if (mask === 'partial') return sql`left(${text}, 1) || '***'`
  return hash(text, Buffer.from(mask.hashKey.reveal()))
}

const TYPES = { string: 'text', number: 'numeric', boolean: 'boolean', time: 'timestamp' } as const

const BLOCK_BYTES = 64

/** HMAC-SHA256 as RFC 2104 §2 builds it, of keys that are no longer than a block. */
function hash(text: Sql, key: Buffer): Sql {
  if (key.length > BLOCK_BYTES) throw new Error('the key of mask: hash has at most 64 bytes')
  const padded = Buffer.concat([key, Buffer.alloc(BLOCK_BYTES - key.length)])
  const [inner, outer] = [0x36, 0x5c].map((pad) => padded.map((byte) => byte ^ pad))
  const digest = sql`sha256(${inner}::bytea || convert_to(${text}, 'UTF8'))`
  return sql`encode(sha256(${outer}::bytea || ${digest}), 'hex')`
}
