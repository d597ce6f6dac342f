import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

export async function listRoleNames(database: Queryable): Promise<string[]> {
  const rows = await database.many(
    z.object({ name: z.string() }),
    sql`select name from roles order by name`,
  )
  return rows.map(({ name }) => name)
}
