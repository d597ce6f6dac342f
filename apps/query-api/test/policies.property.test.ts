import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import fc from 'fast-check'
import { Warehouse } from '../src/warehouse/warehouse.js'
import { naiveAnswer } from './questions/naive-answer.js'
import { randomQuestion } from './questions/random-question.js'
import { randomShop } from './questions/random-shop.js'
import { POLICIES, PRINCIPALS, visibleTo } from './questions/shop-policies.js'
import { outcome, rounded, type ShopProject, startShopProject } from './questions/shop-project.js'

/** As in `questions.property.test.ts`. Ten times as many are asked at once: ten thousand in `.ci/run`. */
const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 40)
const LONGEST_MS = 900_000
const AT_ONCE = 24

let shops: ShopProject
beforeAll(async () => {
  shops = await startShopProject({ policies: POLICIES })
})
afterAll(() => shops.stop())

const randomPrincipal = fc.constantFrom(...PRINCIPALS)

test(
  'every question gets the answer that the rows which the principal may see would give alone',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        randomShop,
        randomQuestion,
        randomPrincipal,
        async (shop, question, principal) => {
          await shops.fill(shop)
          const actual = await outcome(() => shops.ask(question, principal))
          const expected = await outcome(() => naiveAnswer(visibleTo(principal, shop), question))
          expect(rounded(actual)).toEqual(rounded(expected))
        },
      ),
      { numRuns: RUNS, interruptAfterTimeLimit: LONGEST_MS, markInterruptAsFailure: true },
    )
  },
  LONGEST_MS + 10_000,
)

describe('many principals over four connections', () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  let warehouse: Warehouse
  let killer: Database
  beforeAll(() => {
    console.log(`questions of seed ${String(seed)}`)
    warehouse = new Warehouse({ url: shops.small.database.url, maxConnections: 4 })
    killer = new Database({ url: shops.small.database.url, maxConnections: 1 })
  })
  afterAll(async () => {
    await warehouse.close()
    await killer.close()
  })

  /** Asks all questions, so many at once; gives how many were answered, and those whose answer was another. */
  async function askAll(count: number): Promise<{ answered: number; wrong: unknown[] }> {
    const [shop] = fc.sample(randomShop, { numRuns: 1, seed })
    if (!shop) throw new Error('there is a shop')
    await shops.fill(shop)
    const visible = new Map(PRINCIPALS.map((each) => [each, visibleTo(each, shop)]))
    const questions = fc.sample(fc.tuple(randomQuestion, randomPrincipal), { numRuns: count, seed })
    const result = { answered: 0, wrong: [] as unknown[] }
    const next = questions.values()
    const ask = async (): Promise<void> => {
      for (const [question, principal] of next) {
        const actual = await outcome(() => shops.ask(question, principal, warehouse)).catch(failed)
        if (actual === undefined) continue
        const expected = await outcome(() => naiveAnswer(visible.get(principal) ?? shop, question))
        result.answered++
        const [left, right] = [actual, expected].map((each) => JSON.stringify(rounded(each)))
        if (left !== right) result.wrong.push({ question, principal: principal.id, left, right })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, ask))
    return result
  }

  /** The warehouse could not be asked. */
  function failed(error: unknown): undefined {
    expect(error).toMatchObject({ code: 'UNAVAILABLE' })
  }

  test(
    'each gets the answer of their own rows, whoever else is asking',
    async () => {
      const { answered, wrong } = await askAll(RUNS * 10)
      expect(wrong).toEqual([])
      expect(answered).toBe(RUNS * 10)
    },
    LONGEST_MS,
  )

  test(
    'so it is while connections are killed: errors, but never other rows',
    async () => {
      const over = new AbortController()
      const killing = (async () => {
        let killed = 0
        while (!over.signal.aborted) killed += await killOne(killer)
        return killed
      })()
      const { answered, wrong } = await askAll(RUNS * 10).finally(() => {
        over.abort()
      })
      expect(await killing).toBeGreaterThan(0)
      expect(wrong).toEqual([])
      expect(answered).toBeGreaterThan(RUNS * 5)
    },
    LONGEST_MS,
  )
})

/** Ends a connection that works just now, or waits a moment; as the role whose connections they are. */
async function killOne(killer: Database): Promise<number> {
  const killed = await killer.execute(sql`
    select pg_terminate_backend(pid), pg_sleep(0.02)
    from pg_stat_activity
    where datname = current_database() and usename = current_user and pid <> pg_backend_pid() and random() < 0.3
    limit 1`)
  if (killed === 0) await killer.execute(sql`select pg_sleep(0.02)`)
  return killed
}
