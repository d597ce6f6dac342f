import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { olytixCore } from './harness/cli.js'
import { ask, createKey, query } from './harness/http.js'

const LOGS = path.join(path.dirname(process.env['OLYTIX_E2E__STACK_FILE'] ?? ''), 'logs')
/** A stack that was not started by this run may keep its logs elsewhere. */
const whereLogsAre = existsSync(LOGS) ? describe : describe.skip

function logs(): string {
  return readdirSync(LOGS)
    .map((file) => readFileSync(path.join(LOGS, file), 'utf8'))
    .join('\n')
}

/** Waits until the log tells of the last request: everything before it has been written by then. */
async function untilLogged(requestId: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!logs().includes(requestId)) {
    if (Date.now() > deadline) throw new Error(`the request ${requestId} is in no log`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

whereLogsAre('the logs', () => {
  test('never hold a key, however it was presented', async () => {
    const { key } = await createKey()
    const question = { metrics: ['total_revenue'] }
    await query(key, question)
    await query(key, { ...question, limit: -1 })
    await ask(`/api/v1/query?metrics=total_revenue&api_key=${key}`)
    await ask(`/api/v1/nothing/${key}?api_key=${key}`)
    await ask('/api/v1/auth/me', { headers: { Authorization: `Basic ${key}` } })
    await ask('/api/v1/auth/me', { headers: { Authorization: [`Bearer ${key}`, key] } })
    await olytixCore(['auth', 'revoke-key'], { stdin: key })
    await query(key, question)
    const requestId = `e2e-secrets-${String(Date.now())}`
    await ask('/api/v1/auth/me', { key, headers: { 'X-Request-Id': requestId } })
    await untilLogged(requestId)

    const secret = key.slice('olytix-core_key_'.length)
    expect(secret).toHaveLength(33)
    for (const form of [secret, Buffer.from(key).toString('base64').slice(24, -4)]) {
      expect(logs()).not.toContain(form)
    }
  })
})
