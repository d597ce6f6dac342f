import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const VERSION = 1
const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What signing keys are sealed with: derived from the master key, which is used for nothing directly. */
export function sealingKey(masterKey: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', 'olytix signing keys', KEY_BYTES))
}

/**
 * Seals a secret with AES-256-GCM.
 * Shape: version (1 byte), nonce (12), tag (16), ciphertext.
 * @param about what the secret belongs to: it opens nowhere else
 */
export function seal(secret: Buffer, key: Buffer, about: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(bound(about))
  const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed])
}

/** @throws Error when the key is another one, or the bytes or what they belong to have changed */
export function unseal(bytes: Buffer, key: Buffer, about: string): Buffer {
  if (bytes[0] !== VERSION) throw new Error('a sealed secret of an unknown version')
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
  const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(bound(about)).setAuthTag(tag)
  const sealed = bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)
  return Buffer.concat([decipher.update(sealed), decipher.final()])
}

function bound(about: string): Buffer {
  return Buffer.from(`olytix v${String(VERSION)} ${about}`)
}
