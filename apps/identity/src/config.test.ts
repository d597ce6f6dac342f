import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { generateApiKey } from '@olytix/auth-guards/api-key'
import { loadConfig } from '@olytix/config'
import { identitySettings } from './config.js'

const MASTER_KEY = randomBytes(32).toString('base64url')
const LEAST = {
  OLYTIX_DATABASE__URL: 'postgres://olytix_identity@localhost/olytix_identity',
  OLYTIX_SECURITY__MASTER_KEY: MASTER_KEY,
}
const KNOWN_SECRET = 'your-256-bit-secret-your-256-bit-secret'
const ADMIN = {
  OLYTIX_BOOTSTRAP__ADMIN_EMAIL: 'ada@example.com',
  OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'a phrase that is long enough',
}
const regularKey = generateApiKey((count) => new Uint8Array(count)).secret

describe('settings', () => {
  test('need nothing but the database and the master key; the service then listens on loopback', () => {
    const settings = loadConfig(identitySettings, LEAST)
    expect(settings.OLYTIX_SECURITY__MASTER_KEY.reveal()).toBe(MASTER_KEY)
    expect({ ...settings, OLYTIX_SECURITY__MASTER_KEY: MASTER_KEY }).toEqual({
      ...LEAST,
      OLYTIX_SECURITY__JWT_ALGORITHM: 'HS256',
      OLYTIX_SECURITY__JWT_ISSUER: 'olytix-core',
      OLYTIX_SECURITY__JWT_AUDIENCE: 'olytix-core',
      OLYTIX_SECURITY__SIGNING_KEY_ROTATION_DAYS: 30,
      OLYTIX_SECURITY__SESSION_IDLE_DAYS: 14,
      OLYTIX_SECURITY__SESSION_MAX_DAYS: 90,
      OLYTIX_IDENTITY__HOST: '127.0.0.1',
      OLYTIX_IDENTITY__PORT: 50051,
      OLYTIX_IDENTITY__REFLECTION: true,
      OLYTIX_OAUTH__ALLOW_PRIVATE_ADDRESSES: false,
      OLYTIX_LOG__LEVEL: 'info',
    })
  })

  test('describe the first admin in one piece, with or without a key', () => {
    const key = generateApiKey(randomBytes).secret
    const settings = { ...LEAST, ...ADMIN, OLYTIX_BOOTSTRAP__ADMIN_API_KEY: key }
    const loaded = loadConfig(identitySettings, settings)
    expect(loaded.OLYTIX_BOOTSTRAP__ADMIN_API_KEY?.reveal()).toBe(key)
    expect(JSON.stringify(loaded)).not.toContain(key)
  })

  test.each([
    ['OLYTIX_DATABASE__URL', { OLYTIX_DATABASE__URL: 'mysql://localhost' }],
    ['OLYTIX_IDENTITY__SERVICE_TOKEN', { OLYTIX_IDENTITY__HOST: '0.0.0.0' }],
    ['OLYTIX_IDENTITY__SERVICE_TOKEN', { OLYTIX_IDENTITY__HOST: '::' }],
    ['OLYTIX_IDENTITY__SERVICE_TOKEN', { OLYTIX_IDENTITY__SERVICE_TOKEN: 'short-token' }],
    ['OLYTIX_IDENTITY__SERVICE_TOKEN', { OLYTIX_IDENTITY__SERVICE_TOKEN: 'ab'.repeat(32) }],
    ['OLYTIX_SECURITY__MASTER_KEY', { OLYTIX_SECURITY__MASTER_KEY: '' }],
    ['OLYTIX_SECURITY__MASTER_KEY', { OLYTIX_SECURITY__MASTER_KEY: 'your-256-bit-secret' }],
    ['OLYTIX_SECURITY__MASTER_KEY', { OLYTIX_SECURITY__MASTER_KEY: 'a'.repeat(64) }],
    [
      'OLYTIX_SECURITY__MASTER_KEY',
      { OLYTIX_SECURITY__MASTER_KEY: '${OLYTIX_MASTER_KEY_OF_HERE_AND_NOW}' },
    ],
    ['OLYTIX_SECURITY__MASTER_KEY', { OLYTIX_SECURITY__MASTER_KEY: KNOWN_SECRET }],
    ['OLYTIX_SECURITY__JWT_ALGORITHM', { OLYTIX_SECURITY__JWT_ALGORITHM: 'none' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_PASSWORD', { OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'admin' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_PASSWORD', { OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'Password1234' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_PASSWORD', { OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: '' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_EMAIL', { OLYTIX_BOOTSTRAP__ADMIN_EMAIL: '' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_EMAIL', { OLYTIX_BOOTSTRAP__ADMIN_EMAIL: 'ada@' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_API_KEY', { OLYTIX_BOOTSTRAP__ADMIN_API_KEY: 'olytix-core_key_x' }],
    ['OLYTIX_BOOTSTRAP__ADMIN_API_KEY', { OLYTIX_BOOTSTRAP__ADMIN_API_KEY: regularKey }],
    ['OLYTIX_SECURITY__API_KEY_MAX_DAYS', { OLYTIX_SECURITY__API_KEY_MAX_DAYS: '0' }],
    ['OLYTIX_SECURITY__API_KEY_MAX_DAYS', { OLYTIX_SECURITY__API_KEY_MAX_DAYS: '365d' }],
  ])('are refused by the name of %s and never by a value: %j', (name, settings) => {
    let message = ''
    try {
      loadConfig(identitySettings, { ...LEAST, ...ADMIN, ...settings })
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain(`${name}: `)
    for (const value of Object.values(settings).filter((text) => text.length > 3)) {
      expect(message).not.toContain(value)
    }
  })

  test('are all described', () => {
    for (const [name, schema] of Object.entries(identitySettings.shape)) {
      expect([name, schema.description]).toEqual([name, expect.stringMatching(/\w{3}/)])
    }
  })
})
