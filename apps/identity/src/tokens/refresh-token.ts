import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { SigningKey } from './key-material.js'

/** What a refresh token says: which session, and after how many refreshes. */
export interface RefreshParts {
  readonly sessionId: string
  readonly counter: number
}

const VERSION = 1
const PREFIX = 'refresh_'
const SESSION_PREFIX = 'ses_'
const SESSION_ID = /^[0-9a-z]{21}$/
const COUNTER_AT = 22
const KEY_TAG_AT = 26
const MAC_AT = 30
const CHECKSUM_AT = 62
const TOTAL_BYTES = 66
/** 66 bytes fill 88 characters without a bit to spare: one token has one spelling. */
const PATTERN = /^refresh_[A-Za-z0-9_-]{88}$/

/**
 * The refresh token of a session: derived, not stored, so that a retry gets the same one.
 * Shape: version (1 byte), id of the session (21), counter (4), which key made it (4), HMAC-SHA-256 of these (32),
 * CRC-32 of all before (4).
 */
export function refreshToken({ sessionId, counter }: RefreshParts, key: SigningKey): string {
  const bytes = Buffer.alloc(TOTAL_BYTES)
  bytes.writeUInt8(VERSION)
  bytes.write(sessionId.slice(SESSION_PREFIX.length), 1, 'latin1')
  bytes.writeUInt32BE(counter, COUNTER_AT)
  keyTag(key).copy(bytes, KEY_TAG_AT)
  mac(bytes, key).copy(bytes, MAC_AT)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, CHECKSUM_AT)), CHECKSUM_AT)
  return PREFIX + bytes.toString('base64url')
}

/** A refresh token by its form and checksum; nothing is proved yet. @returns `undefined` for any other text */
export function readRefreshToken(text: string): Buffer | undefined {
  if (!PATTERN.test(text)) return undefined
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url')
  const isWhole = bytes.readUInt32BE(CHECKSUM_AT) === crc32(bytes.subarray(0, CHECKSUM_AT))
  return isWhole && bytes[0] === VERSION ? bytes : undefined
}

/** Whether the token says that this key made it. */
export function isMadeBy(bytes: Buffer, key: SigningKey): boolean {
  return keyTag(key).equals(bytes.subarray(KEY_TAG_AT, MAC_AT))
}

/** What the token says, if this key made it. */
export function openRefreshToken(bytes: Buffer, key: SigningKey): RefreshParts | undefined {
  if (!timingSafeEqual(mac(bytes, key), bytes.subarray(MAC_AT, CHECKSUM_AT))) return undefined
  const id = bytes.toString('latin1', 1, COUNTER_AT)
  if (!SESSION_ID.test(id)) return undefined
  return { sessionId: SESSION_PREFIX + id, counter: bytes.readUInt32BE(COUNTER_AT) }
}

function keyTag({ id }: SigningKey): Buffer {
  return createHash('sha256')
    .update(id)
    .digest()
    .subarray(0, MAC_AT - KEY_TAG_AT)
}

function mac(bytes: Buffer, { signing }: SigningKey): Buffer {
  return createHmac('sha256', signing).update(bytes.subarray(0, MAC_AT)).digest()
}
