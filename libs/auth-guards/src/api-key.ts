import { crc32 } from 'node:zlib'

/** Every API key ever issued has this form: what scanners, log redactors and people may look for. */
export const API_KEY_PATTERN = /^olytix-core_key_([0-9a-z]{26})([0-9a-z]{7})$/

const PREFIX = 'olytix-core_key_'
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 26
const CHECKSUM_LENGTH = 7
/** Bytes from here on are drawn again: 252 is the largest multiple of 36 in a byte, so no character is likelier. */
const UNBIASED_BYTES = 252

/** An API key whose checksum is right. Nothing is known yet about whether it exists. */
export interface ApiKey {
  /** The whole key. */
  readonly secret: string
  /** The first four random characters, which lists may show. */
  readonly hint: string
}

/**
 * Makes a key: `olytix-core_key_` + 26 random characters (134 bits) + 7 of checksum.
 * @param randomBytes gives so many bytes from a cryptographic source
 */
export function generateApiKey(randomBytes: (count: number) => Uint8Array): ApiKey {
  let random = ''
  while (random.length < RANDOM_LENGTH) {
    for (const byte of randomBytes(RANDOM_LENGTH - random.length)) {
      if (byte < UNBIASED_BYTES) random += ALPHABET.charAt(byte % ALPHABET.length)
    }
  }
  return { secret: `${PREFIX}${random}${checksum(random)}`, hint: random.slice(0, 4) }
}

/**
 * Reads an API key as presented: exact form, then checksum. The checksum only catches typing errors and garbage before
 * any lookup; it is no proof. From outside, a malformed key and an unknown key look the same.
 * @returns `undefined` when the text is no key of ours
 */
export function parseApiKey(text: string): ApiKey | undefined {
  const match = API_KEY_PATTERN.exec(text)
  const [, random = '', check] = match ?? []
  if (!match || checksum(random) !== check) return undefined
  return { secret: text, hint: random.slice(0, 4) }
}

/** CRC-32 of the random characters in base 36. It sees every change of one character and every swap of neighbours. */
function checksum(random: string): string {
  return crc32(random).toString(36).padStart(CHECKSUM_LENGTH, '0')
}
