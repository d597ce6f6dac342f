import { describe, expect, test } from '@jest/globals'
import { olytixCore } from './harness/cli.js'
import { UNAUTHORIZED } from './harness/errors.js'
import { ask, createKey, query } from './harness/http.js'
import { stack } from './harness/stack.js'

const QUESTION = { metrics: ['total_revenue'] }

/** Asks until the key is refused; how long that took, in milliseconds. */
async function untilRefused(key: string): Promise<number> {
  const start = performance.now()
  for (;;) {
    const { status } = await ask('/api/v1/auth/me', { key })
    const tookMs = performance.now() - start
    if (status === 401 || tookMs > 5_000) return tookMs
  }
}

describe('a revoked key', () => {
  test('is refused within a second, however warm it was', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id, key } = await createKey()
      for (let use = 0; use < 3; use += 1) expect((await query(key, QUESTION)).status).toBe(200)
      const revoked = await ask(`/api/v1/auth/keys/${id}`, {
        method: 'DELETE',
        key: stack.admin_api_key,
      })
      expect(revoked).toMatchObject({ status: 204, text: '' })
      expect(await untilRefused(key)).toBeLessThan(1_000)
      expect(await query(key, QUESTION)).toMatchObject({ status: 401, text: UNAUTHORIZED })
    }
  })

  test('is refused also when only its text was known', async () => {
    const { key } = await createKey()
    const result = await olytixCore(['auth', 'revoke-key'], { stdin: `${key}\n` })
    expect(result).toEqual({ exitCode: 0, stdout: 'API Key Revoked\n', stderr: '' })
    expect(await untilRefused(key)).toBeLessThan(1_000)
  })

  test('lets none of many parallel calls pass after the bound', async () => {
    const { id, key } = await createKey()
    await olytixCore(['auth', 'revoke-key', id])
    await untilRefused(key)
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => ask('/api/v1/auth/me', { key })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
  })

  test('is listed as revoked, and revoking it again is no error', async () => {
    const { id } = await createKey()
    for (let round = 0; round < 2; round += 1) {
      expect((await olytixCore(['auth', 'revoke-key', id])).exitCode).toBe(0)
    }
    const { stdout } = await olytixCore(['auth', 'list-keys'])
    expect(stdout).toMatch(new RegExp(`^${id} .* revoked `, 'm'))
  })
})

describe('revoking', () => {
  test.each(['key_unknown', '%25', '_', "'%20or%201=1--", '..%2fkeys'])(
    'the id %s is not found',
    async (id) => {
      const answer = await ask(`/api/v1/auth/keys/${id}`, {
        method: 'DELETE',
        key: stack.admin_api_key,
      })
      expect(answer.status).toBe(404)
    },
  )

  test('a refused key tells the CLI why: exit code 1 and a message on standard error', async () => {
    const { id, key } = await createKey()
    await olytixCore(['auth', 'revoke-key', id])
    expect(await olytixCore(['whoami'], { key })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: Invalid or missing authentication\nThe key came from OLYTIX_API_KEY.\n',
    })
  })
})
