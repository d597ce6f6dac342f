import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { ConfigError, loadConfig, port, secret, strongSecret } from './load-config.js'

const schema = z.object({ OLYTIX_A__PORT: port().default(8000), OLYTIX_A__TOKEN: secret() })

describe('loadConfig', () => {
  test('takes a secret from the file that X_FILE names, without its final newline', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'olytix-')), 'token')
    writeFileSync(file, 'from-file\n')
    expect(loadConfig(schema, { OLYTIX_A__TOKEN_FILE: file }).OLYTIX_A__TOKEN.reveal()).toBe(
      'from-file',
    )
  })

  test('lists every bad key at once and never a value', () => {
    const bad = { OLYTIX_A__PORT: '99999-hunter2', OLYTIX_A__TOKEN: '' }
    const error = catching(() => loadConfig(schema, bad))
    expect(error).toBeInstanceOf(ConfigError)
    expect(String(error)).toContain('OLYTIX_A__PORT')
    expect(String(error)).toContain('OLYTIX_A__TOKEN')
    expect(String(error)).not.toContain('hunter2')
  })

  test('refuses both X and X_FILE, and a file that cannot be read', () => {
    expect(() => loadConfig(schema, { OLYTIX_A__TOKEN: 'a', OLYTIX_A__TOKEN_FILE: '/x' })).toThrow(
      'not both',
    )
    expect(() => loadConfig(schema, { OLYTIX_A__TOKEN_FILE: '/no/such' })).toThrow('cannot read')
  })

  test('gives an object that cannot be changed', () => {
    expect(Object.isFrozen(loadConfig(schema, { OLYTIX_A__TOKEN: 'x' }))).toBe(true)
  })

  test('a secret prints as [redacted] in every way', () => {
    const { OLYTIX_A__TOKEN: token } = loadConfig(schema, { OLYTIX_A__TOKEN: 'hunter2' })
    expect([String(token), JSON.stringify({ token }), inspect({ token })].join()).not.toContain(
      'hunter2',
    )
  })

  test.each([
    'short',
    '${OLYTIX_MASTER_KEY_THAT_NOBODY_SET}',
    'a'.repeat(64),
    'your-256-bit-secret-your-256-bit-secret',
    'change-me-0d9f8a7s6d5f4g3h2j1k0l9',
    'Zq3xT7vK'.repeat(5),
    '0123456789abcdef0123456789ABCDEF',
  ])('the secret %s is too weak to start with', (weak) => {
    expect(strongSecret().safeParse(weak).success).toBe(false)
  })
})

function catching(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
