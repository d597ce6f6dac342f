import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { AppError } from '@olytix/errors'
import { Database, installRowSecurity, sql, trusted } from '@olytix/postgres'
import { z } from 'zod'
import { parseQuestion } from '../src/http/query.schemas.js'
import type { Project } from '../src/project/project.js'
import { planQuestion } from '../src/query/plan-question.js'
import { runQuery, streamQuery } from '../src/query/run-query.js'
import { principalSettings } from '../src/rls/settings.js'
import { startSuperstore, type Superstore } from './superstore.js'

const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 400)
const TIME_MS = 60_000 + RUNS * 60

let superstore: Superstore
let owner: Database
/** What a compiler that forgets every predicate makes of the project. */
let broken: Project
let worked: readonly string[]

beforeAll(async () => {
  superstore = await startSuperstore()
  broken = { ...superstore.project, policies: [] }
  owner = new Database({ url: superstore.database.ownerUrl, maxConnections: 1 })
  await installRowSecurity(owner)
  const page = await readFile('../../docs/row-security.md', 'utf8')
  const role = superstore.database.serviceRole
  worked = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, text = '']) =>
    text.replaceAll('olytix_reader', role),
  )
  await owner.execute(trusted('create index orders__region on raw.orders (region)'))
  await owner.execute(trusted(worked[0] ?? ''))
})

afterAll(async () => {
  await owner.close()
  await superstore.stop()
})

const analystOf = (region: string): Principal =>
  aPrincipal({ id: `key_${region}`, roles: ['analyst'], attributes: { region } })
const west = analystOf('West')
const viewer = aPrincipal({ roles: ['viewer'] })

async function ask(body: object, principal: Principal, project: Project = broken) {
  const { rows, totals, totalRows } = await runQuery(
    project,
    superstore.warehouse,
    principal,
    parseQuestion(body),
  )
  return { rows: rows.rows, totals: totals?.rows, totalRows }
}

async function streamed(body: object, principal: Principal, signal = new AbortController().signal) {
  const asked = { principal, question: parseQuestion(body) }
  const { batches } = streamQuery(broken, superstore.warehouse, asked, signal)
  const rows = []
  for await (const batch of batches) rows.push(...batch.rows)
  return rows
}

const BY_REGION = { metrics: ['orders.count'], dimensions: ['orders.region'] }
const COUNTS = { Central: '2323', East: '2848', South: '1620', West: '3203' }
const everything = Object.entries(COUNTS)

describe('where the compiler forgets every predicate, row security of the database shows nothing hidden', () => {
  test('no rows of other regions, also in totals and counts', async () => {
    expect(await ask({ ...BY_REGION, totals: true, total_rows: true }, west)).toEqual({
      rows: [['West', '3203']],
      totals: [['3203']],
      totalRows: '1',
    })
    expect((await ask(BY_REGION, viewer)).rows).toEqual(everything)
  })

  test.each([
    { metrics: ['orders.count'], dimensions: ['customers.region'] },
    { dimensions: ['products.region'] },
    {
      metrics: ['orders.count'],
      dimensions: ['orders.region', 'orders.order_date.year'],
      fill: true,
    },
    { dimensions: ['customers.region'] },
  ])('not through %j', async (body) => {
    const { rows } = await ask(body, west)
    expect([...new Set(rows.flat())].filter((each) => each !== null && each in COUNTS)).toEqual([
      'West',
    ])
  })

  test('nor in a stream', async () => {
    expect(await streamed(BY_REGION, west)).toEqual([['West', '3203']])
  })

  test('a missing attribute is FORBIDDEN, for streams too', async () => {
    const nowhere = aPrincipal({ roles: ['analyst'] })
    await expect(ask(BY_REGION, nowhere)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(streamed(BY_REGION, nowhere)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  test('a role that no policy names sees nothing', async () => {
    expect((await ask(BY_REGION, aPrincipal({ roles: ['guest'] }))).rows).toEqual([])
  })

  test.each([`West' or 'a' = 'a`, `West","East`, `["West","East"]`, `West\u0000`, 'West '])(
    'an attribute %j opens nothing',
    async (region) => {
      const rows = await ask(BY_REGION, analystOf(region)).then(
        ({ rows: seen }) => seen,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'FORBIDDEN' })
          return []
        },
      )
      expect(rows).toEqual([])
    },
  )
})

test('where the database has no policies, those of the project hold alone; with both, what both let through', async () => {
  await owner.execute(sql`alter table raw.orders disable row level security`)
  expect((await ask(BY_REGION, west, superstore.project)).rows).toEqual([['West', '3203']])
  expect((await ask(BY_REGION, west, broken)).rows).toEqual(everything)
  await owner.execute(sql`alter table raw.orders enable row level security`)
  expect((await ask(BY_REGION, west, superstore.project)).rows).toEqual([['West', '3203']])
})

describe('the documented example', () => {
  const planOf = async (principal: Principal): Promise<string> => {
    const { text, values } = planQuestion(broken, principal, parseQuestion(BY_REGION)).statement
    const context = { settings: principalSettings(principal), timezone: 'UTC' }
    const explained = { text: `explain (costs off) ${text}`, values }
    const { rows } = await superstore.warehouse.read(explained, context)
    return rows.flat().join('\n')
  }

  test('computes who asks once for a statement, not once for a row', async () => {
    const plan = await planOf(west)
    expect(plan).toContain('InitPlan')
    expect(plan).not.toContain('olytix.')
  })

  test('has a variant for lists', async () => {
    await owner.execute(trusted(worked[1] ?? ''))
    const both = aPrincipal({ roles: ['analyst'], attributes: { regions: ['West', 'East'] } })
    expect((await ask(BY_REGION, both)).rows).toEqual([
      ['East', '2848'],
      ['West', '3203'],
    ])
    const none = aPrincipal({ roles: ['analyst'], attributes: { regions: [] } })
    expect((await ask(BY_REGION, none)).rows).toEqual([])
    await expect(ask(BY_REGION, west)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect((await ask(BY_REGION, viewer)).rows).toEqual(everything)
    const ownRegion = /create policy orders__own_region .*/s.exec(worked[0] ?? '')?.[0] ?? ''
    await owner.execute(trusted(`drop policy orders__own_regions on raw.orders; ${ownRegion}`))
  })
})

test('a prepared statement with a generic plan follows whoever asks now', async () => {
  const service = new Database({ url: superstore.database.url, maxConnections: 1 })
  const counted = (settings: Readonly<Record<string, string>>) =>
    service.transaction(async (transaction) => {
      const pairs = Object.entries({ ...settings, plan_cache_mode: 'force_generic_plan' })
      for (const [name, value] of pairs) {
        await transaction.execute(sql`select set_config(${name}, ${value}, true)`)
      }
      const statement = sql`select count(*)::int as count from raw.orders`.preparedAs('counted')
      return transaction.maybeOne(z.object({ count: z.number() }), statement)
    })
  for (let round = 0; round < 3; round++) {
    expect(await counted(principalSettings(west))).toEqual({ count: 3203 })
    expect(await counted(principalSettings(analystOf('East')))).toEqual({ count: 2848 })
    await expect(counted({})).rejects.toMatchObject({ code: 'OLX01' })
  }
  await service.close()
})

describe('many principals over few connections', () => {
  const principals = Object.keys(COUNTS).flatMap((region) => [
    analystOf(region),
    aPrincipal({ id: `usr_${region}`, roles: ['analyst'], attributes: { region } }),
  ])
  /** Questions in turns, so that connections change hands each time; half of them read by cursors. */
  const askInTurns = async (onError: (error: unknown) => unknown): Promise<number> => {
    let answered = 0
    let next = 0
    const worker = async (): Promise<void> => {
      for (let turn = next++; turn < RUNS; turn = next++) {
        const principal = principals[turn % principals.length] ?? west
        const region = z
          .enum(['Central', 'East', 'South', 'West'])
          .parse(principal.attributes['region'])
        try {
          const rows =
            turn % 16 < 12
              ? (await ask(BY_REGION, principal)).rows
              : await streamed(BY_REGION, principal)
          expect(rows).toEqual([[region, COUNTS[region]]])
          answered++
        } catch (error) {
          onError(error)
        }
      }
    }
    await Promise.all(Array.from({ length: 12 }, worker))
    return answered
  }

  test(
    'see their own rows in every turn',
    async () => {
      const answered = await askInTurns((error) => {
        throw error
      })
      expect(answered).toBe(RUNS)
    },
    TIME_MS,
  )

  test(
    'and nothing else while connections are killed and statements cancelled',
    async () => {
      let isOver = false
      const kill = async (): Promise<void> => {
        const server = new Database({ url: process.env['OLYTIX_TEST__DATABASE_URL'] ?? '' })
        for (let turn = 0; !isOver; turn++) {
          const how = turn % 2 === 0 ? sql`pg_terminate_backend` : sql`pg_cancel_backend`
          await server.execute(sql`
          select ${how}(pid) from (
            select pid from pg_stat_activity
            where usename = ${superstore.database.serviceRole} and state = 'active'
            order by random() limit 1
          ) as busy`)
        }
        await server.close()
      }
      const killing = kill()
      const errors: unknown[] = []
      const answered = await askInTurns((error) => errors.push(error)).finally(() => {
        isOver = true
      })
      await killing
      const codes = errors.map((error) => (error instanceof AppError ? error.code : error))
      expect(codes.filter((code) => code !== 'UNAVAILABLE' && code !== 'QUERY_TIMEOUT')).toEqual([])
      expect(answered).toBeGreaterThan(RUNS / 10)
    },
    TIME_MS,
  )

  test(
    'who leaves in the middle ends nobody else’s statement',
    async () => {
      const leave = async (turn: number): Promise<void> => {
        const gone = new AbortController()
        setTimeout(() => {
          gone.abort()
        }, turn % 12)
        await streamed(BY_REGION, west, gone.signal).catch(() => undefined)
      }
      const stay = async (turn: number): Promise<void> => {
        const principal = principals[turn % principals.length] ?? west
        expect((await ask(BY_REGION, principal)).rows).toHaveLength(1)
        expect(await streamed(BY_REGION, principal)).toHaveLength(1)
      }
      for (let turn = 0; turn < RUNS / 4; turn++) await Promise.all([leave(turn), stay(turn)])
    },
    TIME_MS,
  )
})
