import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, sql } from '@olytix/postgres'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'

const ROWS = 300_000
const NDJSON = 'application/x-ndjson'
const FORMATS = [NDJSON, 'text/csv', 'application/vnd.apache.arrow.stream']

let small: SmallProject
let app: QueryApp
/** As the service itself: others are not shown what it does. */
let observer: Database

beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create view raw.wide as select n as id, repeat('x', 400) as pad from generate_series(1, ${String(ROWS)}) as n;
      create view raw.heavy as select n as id, repeat('x', 20000) as pad from generate_series(1, 5000) as n;
      create view raw.slow as select n as id, pg_sleep(30)::text as pad from generate_series(1, 2) as n;
    `,
    tables: ['wide', 'heavy', 'slow'],
    cubes: ['wide', 'heavy', 'slow']
      .map(
        (name) => `
  - name: ${name}
    sql_table: raw.${name}
    measures: [{name: count, type: count}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: pad, type: string}`,
      )
      .join(''),
  })
  app = await startQueryApp(small, { all: aPrincipal({ roles: ['viewer'] }) })
  observer = new Database({ url: small.database.url })
})

afterAll(async () => {
  await app.close()
  await observer.close()
  await small.stop()
})

const leaving = new Set<AbortController>()
afterEach(() => {
  for (const each of leaving) each.abort()
  leaving.clear()
})

interface Asked {
  readonly response: Promise<Response>
  readonly leave: () => void
}

function ask(accept: string, body: object): Asked {
  const controller = new AbortController()
  leaving.add(controller)
  const response = fetch(app.url, {
    method: 'POST',
    headers: { authorization: 'Bearer all', 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
    signal: controller.signal,
  })
  response.catch(() => undefined)
  return {
    response,
    leave: () => {
      controller.abort()
    },
  }
}

/** The lengths of an answer's pieces, which are read one by one. */
async function* sizesOf({ body }: Response): AsyncGenerator<number, void, undefined> {
  const reader = body?.getReader()
  for (;;) {
    const piece: { done: boolean; value?: unknown } | undefined = await reader?.read()
    if (!piece || piece.done) return
    if (ArrayBuffer.isView(piece.value)) yield piece.value.byteLength
  }
}

const wide = { dimensions: ['wide.id', 'wide.pad'], limit: ROWS }
const slow = { dimensions: ['slow.id', 'slow.pad'] }

/** Statements and open transactions of the service in its warehouse. */
async function busy(): Promise<number> {
  const found = await observer.maybeOne(
    z.object({ count: z.number() }),
    sql`select count(*)::int as count from pg_stat_activity
      where datname = current_database() and usename = current_user
        and xact_start is not null and pid <> pg_backend_pid()`,
  )
  return found?.count ?? 0
}

/** How long it takes until so many are busy, in milliseconds. */
async function untilBusy(wanted: number): Promise<number> {
  const startedAt = performance.now()
  while ((await busy()) !== wanted) {
    if (performance.now() - startedAt > 10_000) throw new Error(`never ${String(wanted)} busy`)
  }
  return performance.now() - startedAt
}

/** Bytes in use after all garbage is gone. */
function bytesInUse(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe.each(FORMATS)('an answer of 300,000 rows as %s', (accept) => {
  test('never stands in memory as a whole', async () => {
    const { response } = ask(accept, wide)
    const pieces = sizesOf(await response)
    const before = bytesInUse()
    let [bytes, measuredAt, most] = [0, 0, 0]
    for await (const size of pieces) {
      bytes += size
      if (bytes - measuredAt < 10_000_000) continue
      measuredAt = bytes
      most = Math.max(most, bytesInUse() - before)
    }
    expect(bytes).toBeGreaterThan(ROWS * 400)
    expect(most).toBeLessThan(40_000_000)
  })
})

test('a long answer comes no faster than it is read, and ends in the database within a second when its reader leaves', async () => {
  const { response, leave } = ask(NDJSON, wide)
  await sizesOf(await response).next()
  const before = bytesInUse()
  // All rows would come in less time than this.
  const until = performance.now() + 2000
  while (performance.now() < until) expect(await busy()).toBe(1)
  expect(bytesInUse() - before).toBeLessThan(40_000_000)
  leave()
  expect(await untilBusy(0)).toBeLessThan(1000)
})

describe('a statement without rows yet', () => {
  test('ends in the database within a second when who asked leaves', async () => {
    const { leave } = ask(NDJSON, slow)
    await untilBusy(1)
    leave()
    expect(await untilBusy(0)).toBeLessThan(1000)
  })

  test.each(['application/json', ...FORMATS])(
    'is QUERY_TIMEOUT after timeout_ms, as %s',
    async (accept) => {
      const response = await ask(accept, { ...slow, timeout_ms: 200 }).response
      expect(response.status).toBe(504)
      expect(await response.json()).toEqual({
        error: { code: 'QUERY_TIMEOUT', message: 'The query took longer than 200 ms' },
      })
      expect(await untilBusy(0)).toBeLessThan(1000)
    },
  )
})

test('an answer that takes longer than timeout_ms breaks off and does not look whole', async () => {
  const body = { dimensions: ['heavy.id', 'heavy.pad'], limit: ROWS, timeout_ms: 4000 }
  const response = await ask(NDJSON, body).response
  expect(response.status).toBe(200)
  const pieces = sizesOf(response)
  await pieces.next()
  await untilBusy(0)
  const rest = async (): Promise<void> => {
    while (!(await pieces.next()).done);
  }
  await expect(rest()).rejects.toThrow()
})
