import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { AuditService } from '../src/audit/audit.service.js'
import { parseQuestion } from '../src/http/query.schemas.js'
import { CurrentProject } from '../src/project/current-project.js'
import { QueryService } from '../src/query/query.service.js'
import { type QueryApp, startQueryApp } from './query-app.js'
import { startSuperstore, type Superstore } from './superstore.js'

const PRINCIPALS = {
  west: aPrincipal({ id: 'key_west', roles: ['analyst'], attributes: { region: 'West' } }),
  nobody: aPrincipal({ id: 'key_nobody', roles: [] }),
  admin: aPrincipal({ id: 'key_admin', roles: ['admin'], scopes: ['read', 'write', 'admin'] }),
}
const QUESTION = { metrics: ['total_revenue'], dimensions: ['orders.region'] }

const eventList = z.object({
  events: z.array(z.looseObject({ event_type: z.string(), user_id: z.string() })),
  next_page_token: z.string().nullable(),
})

let superstore: Superstore
let testDatabase: TestDatabase
let owner: Database
let service: Database
let app: QueryApp | undefined

beforeAll(async () => {
  superstore = await startSuperstore()
  const migrations = fileURLToPath(new URL('../migrations', import.meta.url))
  testDatabase = await createTestDatabase({ migrations, serviceRole: 'olytix_query' })
  owner = new Database({ url: testDatabase.ownerUrl, maxConnections: 1 })
})

afterEach(async () => {
  await app?.close()
  app = undefined
  await service.close()
  await owner.execute(sql`grant insert on audit_events to olytix_query`)
  await owner.execute(sql`truncate audit_events`)
})

afterAll(async () => {
  await superstore.stop()
  await owner.close()
  await testDatabase.drop()
})

async function start(durability: 'batched' | 'strict', isEnabled = true): Promise<QueryApp> {
  service = new Database({ url: testDatabase.url, maxConnections: 3 })
  app = await startQueryApp(
    superstore,
    PRINCIPALS,
    new AuditService(service, { isEnabled, durability }),
  )
  return app
}

function ask(body: object, who: keyof typeof PRINCIPALS, more: Record<string, string> = {}) {
  const headers = { authorization: `Bearer ${who}`, 'content-type': 'application/json', ...more }
  return fetch(app?.url ?? '', { method: 'POST', headers, body: JSON.stringify(body) })
}

/** As the table holds them, in their order. */
function written(): Promise<Record<string, unknown>[]> {
  return owner.many(z.record(z.string(), z.unknown()), sql`select * from audit_events order by id`)
}

async function list(search = ''): Promise<z.output<typeof eventList>> {
  const url = `${new URL(app?.url ?? '').origin}/api/v1/audit${search}`
  const response = await fetch(url, { headers: { authorization: 'Bearer admin' } })
  return eventList.parse(await response.json())
}

const refuseWrites = () => owner.execute(sql`revoke insert on audit_events from olytix_query`)

describe('strict', () => {
  test('an answer has its event by the time it arrives: who, what, which policies, how many rows', async () => {
    await start('strict')
    await ask(QUESTION, 'west', { 'x-request-id': 'question-1' })
    const [event, ...others] = await written()
    expect(others).toEqual([])
    expect(event).toMatchObject({
      event_type: 'data_access',
      request_id: 'question-1',
      user_id: 'key_west',
      user_roles: ['analyst'],
      cube_name: 'orders',
      measures_requested: QUESTION.metrics,
      dimensions_requested: QUESTION.dimensions,
      rls_policies_applied: ['regional_access'],
      rows_returned: '1',
      access_granted: true,
      denial_reason: null,
    })
    expect(event?.['policy_evaluation_ms']).toBeGreaterThan(0)
  })

  test('what a policy refuses has an event with the reason, which the answer does not tell', async () => {
    await start('strict')
    const response = await ask(QUESTION, 'nobody')
    expect(response.status).toBe(403)
    const [event] = await written()
    expect(event).toMatchObject({ event_type: 'access_denied', access_granted: false })
    expect(event?.['denial_reason']).toContain('hidden from key_nobody')
  })

  test('an answer whose event cannot be written is refused', async () => {
    await start('strict')
    await refuseWrites()
    const response = await ask(QUESTION, 'west')
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('West')
  })

  test('a refusal whose event cannot be written stays the same refusal', async () => {
    await start('strict')
    await refuseWrites()
    expect((await ask(QUESTION, 'nobody')).status).toBe(403)
  })

  test('questions at the same time have one event each', async () => {
    await start('strict')
    await Promise.all(Array.from({ length: 40 }, () => ask(QUESTION, 'west')))
    expect(await written()).toHaveLength(40)
  })

  test('a stream has its event before it ends, with all rows counted', async () => {
    await start('strict')
    const response = await ask({ dimensions: ['orders.row_id'], limit: 100_000 }, 'admin', {
      accept: 'text/csv',
    })
    await response.text()
    const [event] = await written()
    expect(event).toMatchObject({ event_type: 'data_access', rows_returned: '9994' })
    expect(event?.['additional_data']).not.toHaveProperty('cut_short')
  })

  test('a stream whose event cannot be written does not end as if it were whole', async () => {
    await start('strict')
    await refuseWrites()
    const response = await ask(QUESTION, 'west', { accept: 'text/csv' })
    await expect(response.text()).rejects.toThrow()
  })

  test('whoever only asks what would be answered leaves a policy_evaluated event', async () => {
    await start('strict')
    const headers = { authorization: 'Bearer west', 'content-type': 'application/json' }
    const url = `${app?.url ?? ''}/validate`
    await fetch(url, { method: 'POST', headers, body: JSON.stringify(QUESTION) })
    expect(await written()).toMatchObject([{ event_type: 'policy_evaluated', rows_returned: null }])
  })
})

describe('batched', () => {
  test('none is lost when the service stops', async () => {
    await start('batched')
    await Promise.all(Array.from({ length: 25 }, () => ask(QUESTION, 'west')))
    await app?.close()
    app = undefined
    expect(await written()).toHaveLength(25)
  })

  test('switched off, nothing is written', async () => {
    await start('batched', false)
    expect((await ask(QUESTION, 'west')).status).toBe(200)
    await app?.close()
    app = undefined
    expect(await written()).toEqual([])
  })
})

describe('GET /audit', () => {
  test('gives pages, newest first, by type and by subject', async () => {
    await start('strict')
    for (const who of ['west', 'admin', 'nobody'] as const) await ask(QUESTION, who)
    const first = await list('?page_size=2')
    expect(first.events.map(({ user_id }) => user_id)).toEqual(['key_nobody', 'key_admin'])
    const second = await list(`?page_size=2&page_token=${first.next_page_token ?? ''}`)
    expect(second.events.map(({ user_id }) => user_id)).toEqual(['key_west'])
    expect(second.next_page_token).toBeNull()
    expect((await list('?type=access_denied')).events).toHaveLength(1)
    expect((await list('?subject=key_west')).events).toHaveLength(1)
    expect((await list('?from=2999-01-01')).events).toEqual([])
  })

  test('pages on through more events than one digit counts, each once', async () => {
    await start('strict')
    const ids = Array.from({ length: 12 }, (_, index) => `question-${String(index)}`)
    for (const id of ids) await ask(QUESTION, 'west', { 'x-request-id': id })
    const found: unknown[] = []
    let token: string | null = ''
    while (token !== null) {
      const page = await list(`?page_size=5${token && `&page_token=${token}`}`)
      found.push(...page.events.map((event) => event['request_id']))
      token = page.next_page_token
    }
    expect(found).toEqual(ids.toReversed())
  })

  test('is for admins', async () => {
    await start('strict')
    const url = `${new URL(app?.url ?? '').origin}/api/v1/audit`
    const response = await fetch(url, { headers: { authorization: 'Bearer west' } })
    expect(response.status).toBe(403)
  })
})

describe('what applied', () => {
  test('the filters of policies are kept as they are written, not with the values of the principal', async () => {
    await start('strict')
    await ask(QUESTION, 'west')
    expect(await written()).toMatchObject([
      { rls_policies_applied: ['regional_access'], rls_predicates: ['region = $user.region'] },
    ])
  })

  test('the time of an event and how long the question took come from the clock of the service', async () => {
    let elapsed = 0
    const now = new Date('2026-01-31T12:00:00Z')
    service = new Database({ url: testDatabase.url, maxConnections: 3 })
    const clock = { now: () => now, elapsedMs: () => (elapsed += 1500) }
    const audit = new AuditService(service, { isEnabled: true, durability: 'strict', clock })
    app = await startQueryApp(superstore, PRINCIPALS, audit)
    await ask(QUESTION, 'west')
    expect(await written()).toMatchObject([
      { timestamp: now, additional_data: { query_duration_ms: 1500, cache_hit: false } },
    ])
  })
})

describe('refusals', () => {
  test('at the door of a route are in this trail too', async () => {
    await start('strict')
    const origin = new URL(app?.url ?? '').origin
    await fetch(`${origin}/api/v1/audit`, { headers: { authorization: 'Bearer west' } })
    expect(await written()).toMatchObject([
      {
        event_type: 'access_denied',
        user_id: 'key_west',
        access_granted: false,
        additional_data: { resource: 'GET /api/v1/audit' },
      },
    ])
  })

  test('again and again are counted: a flood adds a hundred events and one', async () => {
    await start('batched')
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 30 }, () => ask(QUESTION, 'nobody')))
    }
    await app?.close()
    app = undefined
    const events = await written()
    expect(events).toHaveLength(101)
    expect(events.at(-1)).toMatchObject({ additional_data: { requests: 200 } })
  })
})

describe('a stream', () => {
  test('that is left before its first piece leaves an event all the same', async () => {
    await start('strict')
    const audit = new AuditService(service, { isEnabled: true, durability: 'strict' })
    const projects = new CurrentProject({ project: superstore.project, revision: 0, builds: 0 })
    const queries = new QueryService(projects, superstore.warehouse, audit)
    const caller = { principal: PRINCIPALS.west, requestId: 'question-1', clientIp: '127.0.0.1' }
    const format = queries.formatFor('text/csv')
    if (!format) throw new Error('CSV is a format')
    const gone = new AbortController().signal
    const body = await queries.stream(caller, parseQuestion(QUESTION), { format, gone })
    body.destroy()
    await once(body, 'close')
    const deadline = Date.now() + 5000
    while ((await written()).length === 0) expect(Date.now()).toBeLessThan(deadline)
    expect(await written()).toMatchObject([
      { event_type: 'data_access', rows_returned: '0', additional_data: { cut_short: true } },
    ])
  })
})

describe('retention', () => {
  test('removes what is older, in batches, and nothing else', async () => {
    service = new Database({ url: testDatabase.url, maxConnections: 3 })
    await owner.execute(sql`
      insert into audit_events (event_type, timestamp, access_granted)
      select 'data_access', now() - make_interval(days => day), true
      from generate_series(1, 100) as day, generate_series(1, 150)`)
    const options = { isEnabled: true, durability: 'batched', retentionDays: 40 } as const
    await new AuditService(service, options).prune()
    const count = z.object({ count: z.number() })
    const left = await owner.maybeOne(count, sql`select count(*)::int as count from audit_events`)
    expect(left).toEqual({ count: 39 * 150 })
  })
})
