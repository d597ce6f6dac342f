import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import { PROJECT_CHANNEL } from '../project/current-project.js'
import type { MadeFrom } from '../project/follow-relations.js'
import type { TableName } from '../project/project.js'

const column = z.object({ schema: z.string(), table: z.string(), column: z.string() })

const tableName = column.omit({ column: true })

const madeFrom = z.object({
  tables: z.array(tableName),
  columns: z.array(z.object({ name: z.string(), from: z.array(column) })),
  stars: z.array(tableName),
  rest: z.array(column),
  rows: z.array(column),
})

const builtTable = z.object({ schema: z.string(), table: z.string(), lineages: z.array(madeFrom) })

/** Raises the number that replicas follow, and tells them. */
export async function countChange(transaction: Queryable): Promise<void> {
  await transaction.execute(sql`update build_changes set changes = changes + 1`)
  await transaction.execute(sql`select pg_notify(${PROJECT_CHANNEL}, 'builds')`)
}

export async function findChanges(database: Queryable): Promise<number> {
  const row = await database.maybeOne(
    z.object({ changes: z.coerce.number() }),
    sql`select changes from build_changes`,
  )
  return row?.changes ?? 0
}

/** @returns its id: higher than that of any build of the table before; and whether all that it reads was recorded already */
export async function insertBuild(
  transaction: Queryable,
  { schema, table }: TableName,
  build: { readonly runId: string; readonly lineage: MadeFrom },
): Promise<{ readonly id: string; readonly isKnown: boolean }> {
  const madeFrom = JSON.stringify(build.lineage)
  const row = await transaction.maybeOne(
    z.object({ id: z.string(), isKnown: z.boolean() }),
    sql`
      insert into table_builds (schema_name, table_name, run_id, made_from)
      values (${schema}, ${table}, ${build.runId}, ${madeFrom})
      returning id, exists (
        select from table_builds as before
        where before.schema_name = ${schema} and before.table_name = ${table} and before.made_from = ${madeFrom}::jsonb
      ) as "isKnown"`,
  )
  if (!row) throw new Error('an insert returned nothing')
  return row
}

export async function deleteBuildsBefore(
  transaction: Queryable,
  { schema, table }: TableName,
  id: string,
): Promise<void> {
  await transaction.execute(sql`
    delete from table_builds
    where schema_name = ${schema} and table_name = ${table} and id < ${id}::bigint`)
}

/** Every table that a run built, with the lineages of what may be in it. */
export function listBuilt(database: Queryable): Promise<z.output<typeof builtTable>[]> {
  return database.many(
    builtTable,
    sql`
      select schema_name as schema, table_name as table, jsonb_agg(distinct made_from) as lineages
      from table_builds
      group by 1, 2`,
  )
}
