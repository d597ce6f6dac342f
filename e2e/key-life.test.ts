import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { asAdmin, expectRefused, expectWithinBound, statusOf } from './harness/accounts.js'
import { olytixCore } from './harness/cli.js'
import { ask, createKey, type NewKey, query } from './harness/http.js'

const QUESTION = { metrics: ['total_revenue'], limit: 1 }
const issued = z.object({ id: z.string(), key: z.string() })
const shown = z.object({
  name: z.string(),
  scopes: z.array(z.string()),
  roles: z.array(z.string()),
  attributes: z.record(z.string(), z.unknown()),
  status: z.string(),
  expires_at: z.string(),
})

const usage = z.object({
  usage: z.array(z.object({ requests: z.record(z.string(), z.number()) })),
  last_client_ip: z.string().nullable(),
})

function sum({ usage: buckets }: z.output<typeof usage>): number {
  return buckets
    .flatMap(({ requests }) => Object.values(requests))
    .reduce((all, one) => all + one, 0)
}

async function shownKey(id: string): Promise<z.output<typeof shown>> {
  return shown.parse(JSON.parse((await asAdmin('GET', `keys/${id}`)).text))
}

async function rotate(id: string, overlap: string): Promise<z.output<typeof issued>> {
  const result = await olytixCore(['auth', 'rotate-key', id, '--overlap', overlap, '--json'])
  expect(result).toMatchObject({ exitCode: 0, stderr: '' })
  return issued.parse(JSON.parse(result.stdout))
}

describe('olytix-core auth rotate-key', () => {
  test('in the middle of traffic loses no request', async () => {
    const old = await createKey()
    let current = old.key
    const statuses: number[] = []
    const client = async (): Promise<void> => {
      while (statuses.length < 200) statuses.push((await query(current, QUESTION)).status)
    }
    const traffic = Promise.all(Array.from({ length: 8 }, client))
    const next = await rotate(old.id, '1h')
    // Whoever has the new key uses it; the others go on with the old one.
    const usedBefore = statuses.length
    current = next.key
    await traffic
    expect(usedBefore).toBeGreaterThan(0)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(await statusOf(old.key)).toBe(200)
    expect(await statusOf(next.key)).toBe(200)
  })

  test('with an overlap of 0 stops the old key at once', async () => {
    const old = await createKey()
    expect(await statusOf(old.key)).toBe(200)
    const next = await rotate(old.id, '0')
    await expectRefused(old.key)
    expect(await statusOf(next.key)).toBe(200)
  })

  test('carries name, scopes, roles and attributes over', async () => {
    const settings: NewKey = {
      scopes: ['read', 'write'],
      roles: ['analyst'],
      attributes: { region: 'West' },
    }
    const old = await createKey(settings)
    const before = await shownKey(old.id)
    const next = await rotate(old.id, '1h')
    const after = await shownKey(next.id)
    expect({ ...after, expires_at: '' }).toEqual({ ...before, expires_at: '' })
    expect((await shownKey(old.id)).status).toBe('rotating')
    const answer = await query(next.key, { metrics: ['total_revenue'] })
    expect(JSON.parse(answer.text)).toMatchObject({ data: [{ total_revenue: 725457.8245 }] })
  })

  test.each([-1, 1.5, '1d', 315_360_000, null])(
    'an overlap of %j is refused and changes nothing',
    async (overlap_seconds) => {
      const { id, key } = await createKey()
      const answer = await asAdmin('POST', `keys/${id}/rotate`, { overlap_seconds })
      expect(answer.status).toBe(400)
      expect(await statusOf(key)).toBe(200)
      expect((await shownKey(id)).status).toBe('active')
    },
  )

  test('twice leaves at most two keys that work', async () => {
    const first = await createKey()
    const second = await rotate(first.id, '1h')
    const third = await rotate(second.id, '1h')
    await expectRefused(first.key)
    expect(await statusOf(second.key)).toBe(200)
    expect(await statusOf(third.key)).toBe(200)
  })
})

describe('olytix-core auth update-key', () => {
  test('changes what a key may, live', async () => {
    const { id, key } = await createKey({ scopes: ['read'] })
    expect((await query(key, QUESTION)).status).toBe(200)
    const { exitCode } = await olytixCore(['auth', 'update-key', id, '--scopes', 'write'])
    expect(exitCode).toBe(0)
    await expectWithinBound(async () => (await query(key, QUESTION)).status, 403)
    await olytixCore(['auth', 'update-key', id, '--scopes', 'read', '--disable'])
    await expectRefused(key)
    const enabled = await olytixCore(['auth', 'update-key', id, '--enable'])
    expect(enabled.stdout).toBe(`API Key Changed: ${id} (active)\n`)
    await expectWithinBound(async () => (await query(key, QUESTION)).status, 200)
  })
})

describe('olytix-core auth key-usage', () => {
  test('counts requests by outcome, and knows from where', async () => {
    const { id, key } = await createKey({ scopes: ['read'] })
    for (let use = 0; use < 3; use += 1) await query(key, QUESTION)
    for (let use = 0; use < 2; use += 1) await ask('/api/v1/auth/keys', { key })
    const read = async (): Promise<z.output<typeof usage>> =>
      usage.parse(JSON.parse((await asAdmin('GET', `keys/${id}/usage`)).text))
    // Use is counted in memory and written every few seconds.
    const deadline = Date.now() + 20_000
    let found = await read()
    while (sum(found) < 5 && Date.now() < deadline) found = await read()
    expect(sum(found)).toBe(5)
    expect(found.usage.flatMap(({ requests }) => Object.values(requests)).toSorted()).toEqual([
      2, 3,
    ])
    expect(found.last_client_ip).toMatch(/^(127\.0\.0\.1|::1)$/)
    const { stdout } = await olytixCore(['auth', 'key-usage', id, '--granularity', 'hour'])
    expect(stdout).toMatch(/^start .*\n-.*\n\d{4}-\d\d-\d\dT\d\d:00:00/)
    expect(stdout).toContain('Last address: ')
  })
})
