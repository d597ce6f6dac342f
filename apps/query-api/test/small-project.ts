import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Secret } from '@olytix/config'
import { Database, ident, sql, trusted } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { loadModule } from 'libpg-query'
import { parseQuestion } from '../src/http/query.schemas.js'
import { buildProject } from '../src/project/build-project.js'
import { followRelations } from '../src/project/follow-relations.js'
import type { Project } from '../src/project/project.js'
import { runQuery } from '../src/query/run-query.js'
import { toJsonRows } from '../src/results/json-rows.js'
import { Warehouse } from '../src/warehouse/warehouse.js'

/** Of masks that are hashes. */
export const MASKING_KEY = new Secret('a key of masks for tests, 32 byte')

/** Nothing was built. */
export const NO_BUILDS = (): Promise<number> => Promise.resolve(0)

type Row = Readonly<Record<string, unknown>>

/** A project of a few lines over tables of a few rows. */
export interface SmallProject {
  /** Asks as everybody, or as a principal. */
  ask(body: object, principal?: Principal): Promise<readonly Row[]>
  readonly project: Project
  readonly warehouse: Warehouse
  readonly database: TestDatabase
  stop(): Promise<void>
}

interface SmallProjectText {
  /** Statements that make the tables in schema `raw`. */
  readonly setup: string
  /** Names of those tables. */
  readonly tables: readonly string[]
  readonly cubes: string
  readonly timeSpines?: string
  readonly metrics?: string
  readonly policies?: string
  readonly masking?: string
}

export async function startSmallProject(text: SmallProjectText): Promise<SmallProject> {
  await loadModule()
  const database = await createTestDatabase()
  const owner = new Database({ url: database.ownerUrl })
  const reader = ident(database.serviceRole)
  await owner.transaction(async (transaction) => {
    await transaction.execute(sql`create schema raw`)
    await transaction.execute(trusted(text.setup))
    await transaction.execute(sql`grant usage on schema raw to ${reader}`)
    await transaction.execute(sql`grant select on all tables in schema raw to ${reader}`)
  })
  await owner.close()
  const built = buildProject(
    {
      project: { path: 'p.yml', text: `name: small\ntime_spines: ${text.timeSpines ?? '[]'}` },
      sources: [
        file('s.yml', `sources: [{name: raw, tables: [${text.tables.map(named).join()}]}]`),
      ],
      models: [],
      cubes: [file('c.yml', `cubes:\n${text.cubes}`)],
      metrics: text.metrics === undefined ? [] : [file('m.yml', `metrics:\n${text.metrics}`)],
      policies: [
        ...(text.policies === undefined ? [] : [file('r.yml', `policies:\n${text.policies}`)]),
        ...(text.masking === undefined ? [] : [file('m.yml', `masking:\n${text.masking}`)]),
      ],
    },
    {},
    MASKING_KEY,
  )
  const warehouse = new Warehouse({ url: database.url, maxConnections: 2 })
  const project = followRelations(built, await warehouse.storedRelations(built.tables), [])
  return {
    project,
    warehouse,
    database,
    ask: async (body, principal = aPrincipal()) => {
      const { plan, rows } = await runQuery(project, warehouse, principal, parseQuestion(body))
      return JSON.parse(toJsonRows(rows, [...plan.dimensions, ...plan.metrics])) as Row[]
    },
    stop: async () => {
      await warehouse.close()
      await database.drop()
    },
  }
}

function file(path: string, text: string): { path: string; text: string } {
  return { path, text }
}

function named(name: string): string {
  return `{name: ${name}}`
}
