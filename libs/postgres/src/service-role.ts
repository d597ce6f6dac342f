import { z } from 'zod'
import type { Queryable } from './database.js'
import { sql } from './sql.js'

/**
 * Makes sure that a service is logged in as a role that row security and grants hold for.
 * @throws Error when the role is a superuser, may bypass row security, or owns a table here, itself or as a member of
 * the owner. Names the role and the reason.
 */
export async function demandServiceRole(database: Queryable): Promise<void> {
  const role = await database.maybeOne(
    z.object({ name: z.string(), super: z.boolean(), bypass: z.boolean(), owns: z.boolean() }),
    sql`
      select
        rolname::text as name,
        rolsuper as super,
        rolbypassrls as bypass,
        exists (
          select from pg_class
          join pg_namespace on pg_namespace.oid = relnamespace
          where relkind in ('r', 'p', 'v', 'm')
            and nspname <> 'information_schema'
            and nspname not like 'pg\\_%'
            and pg_has_role(current_user, relowner, 'member')
        ) as owns
      from pg_roles
      where rolname = current_user`,
  )
  const reason = role?.super
    ? 'is a superuser'
    : role?.bypass
      ? 'may bypass row security'
      : role?.owns && 'owns tables'
  if (role && reason) {
    throw new Error(`The database role ${role.name} ${reason}: log in with a service role instead`)
  }
}
