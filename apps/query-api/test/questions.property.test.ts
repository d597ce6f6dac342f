import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, ident, sql } from '@olytix/postgres'
import fc from 'fast-check'
import { parseQuestion } from '../src/http/query.schemas.js'
import { runQuery } from '../src/query/run-query.js'
import { toJsonRows } from '../src/results/json-rows.js'
import { type AskedQuestion, naiveAnswer, type NaiveAnswer } from './questions/naive-answer.js'
import { Unanswerable } from './questions/naive-rows.js'
import { randomQuestion } from './questions/random-question.js'
import { randomShop } from './questions/random-shop.js'
import type { Shop } from './questions/shop.js'
import { CUBES, METRICS, SETUP, TABLES, TIME_SPINES } from './questions/shop-definitions.js'
import { type SmallProject, startSmallProject } from './small-project.js'

/** Questions that are tried; `.ci/run` asks many more. All night: OLYTIX_TEST__PROPERTY_RUNS=5000 and this file alone. */
const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 40)

const LONGEST_MS = 900_000

let small: SmallProject
let owner: Database
beforeAll(async () => {
  small = await startSmallProject({
    setup: SETUP,
    tables: TABLES,
    cubes: CUBES,
    metrics: METRICS,
    timeSpines: TIME_SPINES,
  })
  owner = new Database({ url: small.database.ownerUrl })
})
afterAll(async () => {
  await owner.close()
  await small.stop()
})

async function fill(shop: Shop): Promise<void> {
  await owner.transaction(async (transaction) => {
    for (const table of TABLES) {
      const name = ident('raw', table)
      await transaction.execute(sql`delete from ${name}`)
      await transaction.execute(
        sql`insert into ${name} select * from jsonb_populate_recordset(null::${name}, ${JSON.stringify(shop[table])}::jsonb)`,
      )
    }
  })
}

type Outcome = NaiveAnswer | 'refused'

async function asked(question: AskedQuestion): Promise<Outcome> {
  const body = parseQuestion({ ...question, total_rows: true })
  const { plan, rows, totalRows, totals } = await runQuery(
    small.project,
    small.warehouse,
    aPrincipal(),
    body,
  )
  const columns = [...plan.dimensions, ...plan.metrics]
  const [total] = totals ? JSON.parse(toJsonRows(totals, plan.metrics)) : []
  return {
    data: JSON.parse(toJsonRows(rows, columns)),
    total_rows: Number(totalRows),
    totals: total,
  }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Unanswerable ||
    (typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      error.code === 'INVALID_QUERY')
  )
}

async function outcome(answer: () => Promise<Outcome> | Outcome): Promise<Outcome> {
  try {
    return await answer()
  } catch (error) {
    if (isRefusal(error)) return 'refused'
    throw error
  }
}

/** Numbers agree to the digits that a double has. */
function rounded(answer: Outcome): unknown {
  return JSON.parse(
    JSON.stringify(answer, (_, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(10)) : value,
    ),
  )
}

test(
  'every question gets the answer that row-by-row evaluation gives',
  async () => {
    await fc.assert(
      fc.asyncProperty(randomShop, randomQuestion, async (shop, question) => {
        await fill(shop)
        const actual = await outcome(() => asked(question))
        const expected = await outcome(() => naiveAnswer(shop, question))
        expect(rounded(actual)).toEqual(rounded(expected))
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: LONGEST_MS, markInterruptAsFailure: true },
    )
  },
  LONGEST_MS + 10_000,
)
