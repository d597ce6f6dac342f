import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database, ident, sql } from '@olytix/postgres'
import { parseQuestion } from '../../src/http/query.schemas.js'
import { runQuery } from '../../src/query/run-query.js'
import { toJsonRows } from '../../src/results/json-rows.js'
import type { Warehouse } from '../../src/warehouse/warehouse.js'
import { type SmallProject, startSmallProject } from '../small-project.js'
import type { NaiveAnswer } from './naive-answer.js'
import type { AskedQuestion } from './naive-inputs.js'
import { Unanswerable } from './naive-rows.js'
import type { Shop } from './shop.js'
import { CUBES, METRICS, SETUP, TABLES, TIME_SPINES } from './shop-definitions.js'

export type Outcome = NaiveAnswer | 'refused'

/** The shop's project in a database of its own. */
export interface ShopProject {
  readonly small: SmallProject
  /** As the owner of its tables. */
  readonly owner: Database
  fill(shop: Shop): Promise<void>
  /** Asks as everybody, or as a principal; over connections of the project's own, or others. */
  ask(question: AskedQuestion, principal?: Principal, warehouse?: Warehouse): Promise<Outcome>
  stop(): Promise<void>
}

interface ShopRules {
  readonly policies?: string
  /** Of every cube. */
  readonly refreshKey?: string
}

export async function startShopProject(rules: ShopRules = {}): Promise<ShopProject> {
  const { refreshKey, ...policies } = rules
  const kept = refreshKey === undefined ? '' : `\n    refresh_key: ${refreshKey}`
  const cubes = CUBES.replaceAll(/sql_table: .*/g, `$&${kept}`)
  const definitions = { cubes, metrics: METRICS, timeSpines: TIME_SPINES, ...policies }
  const small = await startSmallProject({
    setup: SETUP,
    tables: [...TABLES, 'days'],
    ...definitions,
  })
  const owner = new Database({ url: small.database.ownerUrl })
  return {
    small,
    owner,
    fill: (shop) => fill(owner, shop),
    ask: (question, principal = aPrincipal(), warehouse = small.warehouse) =>
      ask(small, warehouse, principal, question),
    stop: async () => {
      await owner.close()
      await small.stop()
    },
  }
}

async function fill(owner: Database, shop: Shop): Promise<void> {
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

async function ask(
  { project }: SmallProject,
  warehouse: Warehouse,
  principal: Principal,
  question: AskedQuestion,
): Promise<Outcome> {
  const body = parseQuestion({ ...question, total_rows: true })
  const { plan, rows, totalRows, totals } = await runQuery(project, warehouse, principal, body)
  const columns = [...plan.dimensions, ...plan.metrics]
  const [total] = totals ? JSON.parse(toJsonRows(totals, plan.metrics)) : []
  return {
    data: JSON.parse(toJsonRows(rows, columns)),
    total_rows: Number(totalRows),
    totals: total,
  }
}

/** What an evaluation comes to: an answer, or that there can be none. */
export async function outcome(answer: () => Promise<Outcome> | Outcome): Promise<Outcome> {
  try {
    return await answer()
  } catch (error) {
    if (isRefusal(error)) return 'refused'
    throw error
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

/** Numbers agree to the digits that a double has. */
export function rounded(answer: Outcome): unknown {
  return JSON.parse(
    JSON.stringify(answer, (_, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(10)) : value,
    ),
  )
}
