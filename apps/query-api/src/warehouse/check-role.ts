import type { Statement, TextRows } from '@olytix/postgres'

/** A table of the warehouse. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** Superusers and roles with BYPASSRLS see all rows; so does the owner of a table, unless it is forced. */
const ROLE = `
  select current_user, r.rolsuper or r.rolbypassrls
  from pg_roles as r
  where r.rolname = current_user`

const TABLES = `
  select n.nspname || '.' || c.relname, pg_has_role(c.relowner, 'usage'), c.relrowsecurity, c.relforcerowsecurity
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  join unnest($1::text[], $2::text[]) as used (schema, name) on used.schema = n.nspname and used.name = c.relname
  order by 1`

/** @see Warehouse.checkRole */
export async function checkRole(
  read: (statement: Statement) => Promise<TextRows['rows']>,
  tables: readonly TableName[],
  allowPrivileged: boolean,
): Promise<readonly string[]> {
  const [[role, isExempt] = []] = await read({ text: ROLE, values: [] })
  const found = await read({
    text: TABLES,
    values: [tables.map(({ schema }) => schema), tables.map(({ table }) => table)],
  })
  const escaped = found.flatMap(([name, isOwner, hasPolicies, isForced]) => {
    const escapes = isExempt === 't' || (isOwner === 't' && isForced !== 't')
    return escapes && hasPolicies === 't' ? [String(name)] : []
  })
  const who = `the warehouse is read as ${String(role)}`
  if (escaped.length > 0 && !allowPrivileged) {
    throw new Error(
      `${who}, whom the row security of ${escaped.join(', ')} does not bind. Use a role that neither owns it nor is a ` +
        `superuser, or set OLYTIX_WAREHOUSE__ALLOW_PRIVILEGED_ROLE=true`,
    )
  }
  const owned = found.filter(([, isOwner]) => isOwner === 't').map(([name]) => String(name))
  if (isExempt === 't') return [`${who}, a superuser or one who bypasses row security`]
  return owned.length > 0 ? [`${who}, who owns ${owned.join(', ')}`] : []
}
