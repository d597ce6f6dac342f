import type { Principal } from '@olytix/auth-guards'
import { installRowSecurity, trusted } from '@olytix/postgres'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseQuestion } from '../src/http/query.schemas.js'
import type { Project } from '../src/project/project.js'
import { runQuery } from '../src/query/run-query.js'
import { toJsonRows } from '../src/results/json-rows.js'
import { randomQuestion } from './questions/random-question.js'
import { randomShop } from './questions/random-shop.js'
import { TABLES } from './questions/shop-definitions.js'
import { POLICIES, PRINCIPALS } from './questions/shop-policies.js'
import { type ShopProject, startShopProject } from './questions/shop-project.js'

/** As in `questions.property.test.ts`; a run asks some questions of several principals, and needs as long as ten. */
const RUNS = Math.ceil(Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 40) / 10)
const LONGEST_MS = 900_000

/** Everybody twice: two who differ in nothing that a policy of the project asks are two all the same. */
const EVERYBODY = PRINCIPALS.flatMap((each): Principal[] => [each, { ...each, id: `${each.id}_2` }])

/** Rows by who asks, in a way that no statement and none of its values show. */
const OWN_ROWS = TABLES.map(
  (table) => `
  create policy own on raw.${table} for select using ((id + length((select olytix.user_id()))) % 3 > 0);`,
).join('')

let shops: ShopProject
beforeAll(async () => {
  shops = await startShopProject({ policies: POLICIES, refreshKey: '{every: 1 hour}' })
  await installRowSecurity(shops.owner)
  await shops.owner.execute(trusted(OWN_ROWS))
})
afterAll(() => shops.stop())

interface Asked {
  readonly question: object
  readonly principal: Principal
}

/** Some questions of some principals, in any order and more than once. */
const randomAsked = fc
  .tuple(
    fc.array(randomQuestion, { minLength: 1, maxLength: 4 }),
    fc.uniqueArray(fc.constantFrom(...EVERYBODY), { minLength: 2, maxLength: 8 }),
  )
  .chain(([questions, principals]) => {
    const all = questions.flatMap((question) =>
      principals.map((principal) => ({ question, principal })),
    )
    return fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })
  })

/** The answer as text, and whether it was kept. */
async function ask(
  project: Project,
  { question, principal }: Asked,
  cache: 'default' | 'bypass',
): Promise<{ readonly text: string; readonly isKept: boolean }> {
  const body = parseQuestion({ ...question, total_rows: true, cache })
  try {
    const answer = await runQuery(project, shops.small.warehouse, principal, body)
    const { plan, rows, totals, totalRows, isKept } = answer
    const data = toJsonRows(rows, [...plan.dimensions, ...plan.metrics])
    return { text: [data, totals && toJsonRows(totals, plan.metrics), totalRows].join(), isKept }
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_QUERY' })
    return { text: 'refused', isKept: false }
  }
}

async function setRowSecurity(how: 'enable' | 'disable'): Promise<void> {
  const tables = TABLES.map((table) => `alter table raw.${table} ${how} row level security;`)
  await shops.owner.execute(trusted(tables.join('')))
}

describe.each(['enable', 'disable'] as const)('%s row security of the database', (how) => {
  beforeAll(() => setRowSecurity(how))

  test(
    'an answer that is kept is, for each principal, the one that a fresh look gives',
    async () => {
      let kept = 0
      await fc.assert(
        fc.asyncProperty(randomShop, randomAsked, async (shop, asked) => {
          await shops.fill(shop)
          // Another object, as of another revision: what was kept of other rows is not found.
          const project = { ...shops.small.project }
          const askAll = (cache: 'default' | 'bypass') =>
            Promise.all(asked.map((each) => ask(project, each, cache)))
          const fresh = await askAll('bypass')
          expect(fresh.filter(({ isKept }) => isKept)).toEqual([])
          // At once, when statements that run are shared; and later, when answers are.
          for (const given of [await askAll('default'), await askAll('default')]) {
            expect(given.map(({ text }) => text)).toEqual(fresh.map(({ text }) => text))
            kept += given.filter(({ isKept }) => isKept).length
          }
        }),
        { numRuns: RUNS, interruptAfterTimeLimit: LONGEST_MS, markInterruptAsFailure: true },
      )
      expect(kept).toBeGreaterThan(RUNS * 5)
    },
    LONGEST_MS + 10_000,
  )
})
