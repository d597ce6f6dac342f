import { type Queryable, type Sql, sql } from '@olytix/postgres'
import { z } from 'zod'

/**
 * The settings of a build: they end with its transaction. Names without a schema are PostgreSQL's own or temporary. A
 * process that was killed leaves no statement behind for longer than a second.
 */
export function setUpBuild(timeoutMs: number): Sql {
  return sql`
    select
      set_config('statement_timeout', ${String(timeoutMs)}, true),
      set_config('client_connection_check_interval', '1000', true),
      set_config('search_path', 'pg_catalog, pg_temp', true),
      set_config('row_security', 'on', true),
      set_config('standard_conforming_strings', 'on', true),
      set_config('timezone', 'UTC', true),
      set_config('datestyle', 'ISO, YMD', true),
      set_config('intervalstyle', 'iso_8601', true),
      set_config('extra_float_digits', '1', true),
      set_config('bytea_output', 'hex', true)`
}

/** Who builds, and what they might do beyond that; null: nothing. */
export function findBuilderRole(
  transaction: Queryable,
): Promise<{ readonly name: string; readonly might: string | null } | undefined> {
  return transaction.maybeOne(
    z.object({ name: z.string(), might: z.string().nullable() }),
    sql`
      select
        r.rolname::text as name,
        case
          when r.rolsuper then 'is a superuser'
          when r.rolbypassrls then 'may bypass row security'
          when r.rolcreaterole then 'may make roles'
          when exists (
            select from pg_roles as p
            where p.rolname like 'pg\\_%' and pg_has_role(r.oid, p.oid, 'member')
          ) then 'is a member of a role of PostgreSQL''s own'
        end as might
      from pg_roles as r
      where r.rolname = current_user`,
  )
}
