import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { olytixCore } from './harness/cli.js'
import { UNAUTHORIZED } from './harness/errors.js'
import { ask, createKey, query } from './harness/http.js'
import { stack } from './harness/stack.js'

const QUESTION = { metrics: ['total_revenue'] }

const ROUNDS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 10)
/** A route that lets pass whom it knows: `/auth/me` asks anew each time. */
const DATA = '/api/v1/query/meta/metrics'

/** Asks every 10 ms until the key is refused; how long that took, in milliseconds. */
async function untilRefused(key: string): Promise<number> {
  const start = performance.now()
  for (;;) {
    const { status } = await ask(DATA, { key })
    const tookMs = performance.now() - start
    if (status === 401 || tookMs > 5_000) return tookMs
    await setTimeout(10)
  }
}

describe('a revoked key', () => {
  test(
    'is refused within a second, however warm it was',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
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
    },
    60_000 + ROUNDS * 2_000,
  )

  test('is not let pass by any of a thousand calls that are under way, once it is revoked for a second', async () => {
    const { id, key } = await createKey()
    expect((await ask(DATA, { key })).status).toBe(200)
    let revokedAt = Infinity
    const late: number[] = []
    const worker = async (): Promise<void> => {
      for (let use = 0; use < 20; use += 1) {
        const startedAt = performance.now()
        const { status } = await ask(DATA, { key })
        if (startedAt > revokedAt + 1_000) late.push(status)
      }
    }
    const workers = Array.from({ length: 50 }, worker)
    await ask(`/api/v1/auth/keys/${id}`, { method: 'DELETE', key: stack.admin_api_key })
    revokedAt = performance.now()
    await Promise.all(workers)
    expect(late).not.toContain(200)
    expect((await ask(DATA, { key })).status).toBe(401)
  })

  test(
    'is refused from the very next call on by the edge that revoked it',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { id, key } = await createKey()
        expect((await ask(DATA, { key })).status).toBe(200)
        await ask(`/api/v1/auth/keys/${id}`, { method: 'DELETE', key: stack.admin_api_key })
        expect((await ask(DATA, { key })).status).toBe(401)
      }
    },
    60_000 + ROUNDS * 2_000,
  )

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
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(DATA, { key })))
    const statuses = new Set(answers.map(({ status }) => status))
    // 503: identity did not answer in time, and nobody guessed.
    expect([...statuses].filter((status) => status !== 503)).toEqual([401])
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
