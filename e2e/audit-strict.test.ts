import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { z } from 'zod'
import { StackProcess } from './harness/stack-process.js'

const TIMEOUT_MS = 300_000

const description = z.object({
  query_api_url: z.string(),
  admin_api_key: z.string(),
  pids: z.object({ query_api: z.number() }),
})
type Description = z.output<typeof description>

const eventPage = z.object({
  events: z.array(z.object({ request_id: z.string().nullable() })),
  next_page_token: z.string().nullable(),
})

let stateDir: string
let started: StackProcess[]
beforeEach(() => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-strict-'))
  started = []
})
afterEach(async () => {
  for (const stack of started) await stack.stop('SIGTERM')
  rmSync(stateDir, { recursive: true, force: true })
}, TIMEOUT_MS)

function start(): StackProcess {
  const stack = new StackProcess(stateDir, { OLYTIX_AUDIT__DURABILITY: 'strict' })
  started.push(stack)
  return stack
}

async function running(stack: StackProcess): Promise<Description> {
  return description.parse(await stack.ready())
}

/** Asks one question after the other until the service is gone. @returns the ids of those that were answered */
async function askUntilGone({ query_api_url: url, admin_api_key: key }: Description, who: number) {
  const answered: string[] = []
  for (let question = 0; ; question++) {
    const id = `strict-${String(who)}-${String(question)}`
    try {
      const response = await fetch(`${url}/api/v1/query?dimensions=orders.region`, {
        headers: { authorization: `Bearer ${key}`, 'x-request-id': id },
      })
      await response.text()
      if (response.status === 200) answered.push(id)
    } catch {
      return answered
    }
  }
}

async function allEvents({ query_api_url: url, admin_api_key: key }: Description) {
  const ids = new Set<string | null>()
  let token: string | null = ''
  while (token !== null) {
    const search = `type=data_access&page_size=1000${token && `&page_token=${token}`}`
    const response = await fetch(`${url}/api/v1/audit?${search}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const page = eventPage.parse(await response.json())
    for (const { request_id: id } of page.events) ids.add(id)
    token = page.next_page_token
  }
  return ids
}

test(
  'kill -9 under strict durability loses no event of a question that was answered',
  async () => {
    const first = start()
    const stack = await running(first)
    const askers = [1, 2, 3, 4, 5, 6, 7, 8].map((who) => askUntilGone(stack, who))
    await new Promise((resolve) => setTimeout(resolve, 2000))
    process.kill(stack.pids.query_api, 'SIGKILL')
    const answered = (await Promise.all(askers)).flat()
    await first.ended
    expect(answered.length).toBeGreaterThan(20)
    const events = await allEvents(await running(start()))
    expect(answered.filter((id) => !events.has(id))).toEqual([])
  },
  TIMEOUT_MS,
)
