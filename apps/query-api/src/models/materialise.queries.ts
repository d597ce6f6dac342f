import { ident, joinSql, type Queryable, type Sql, sql, trusted } from '@olytix/postgres'
import { z } from 'zod'
import type { TableName } from '../project/project.js'

/** A column by name, and its type as SQL writes it. */
export interface Column {
  readonly name: string
  readonly type: string
}

const foundTarget = z.object({
  kind: z.enum(['table', 'view', 'other']),
  isOwned: z.boolean(),
  comment: z.string().nullable(),
  /** It has row security, or policies for when it will be switched on. */
  isGuarded: z.boolean(),
  /** Its owner is under it too. */
  isForced: z.boolean(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
})

/** What stands under the name of a target. */
export type FoundTarget = z.output<typeof foundTarget>

/** Whoever else builds this target waits until the transaction ends, in whichever process. */
export async function lockTarget(transaction: Queryable, target: TableName): Promise<void> {
  const name = JSON.stringify(['olytix build', target.schema, target.table])
  await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`)
}

/** From here on a lock on a table is waited for so long and no longer: whoever reads queues behind who waits. */
export async function limitLockWaits(transaction: Queryable, ms: number): Promise<void> {
  await transaction.execute(sql`select set_config('lock_timeout', ${String(ms)}, true)`)
}

export function findTarget(
  transaction: Queryable,
  { schema, table }: TableName,
): Promise<FoundTarget | undefined> {
  return transaction.maybeOne(
    foundTarget,
    sql`
      select
        case c.relkind when 'r' then 'table' when 'v' then 'view' else 'other' end as kind,
        c.relowner = current_user::regrole as "isOwned",
        obj_description(c.oid, 'pg_class') as comment,
        c.relrowsecurity or exists (select from pg_policy as p where p.polrelid = c.oid) as "isGuarded",
        c.relforcerowsecurity as "isForced",
        (
          select coalesce(json_agg(
            json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum
          ), '[]')
          from pg_attribute as a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        ) as columns
      from pg_class as c
      join pg_namespace as n on n.oid = c.relnamespace
      where n.nspname = ${schema} and c.relname = ${table}`,
  )
}

export async function schemaExists(transaction: Queryable, schema: string): Promise<boolean> {
  return (await transaction.execute(sql`select from pg_namespace where nspname = ${schema}`)) > 0
}

export async function createSchema(transaction: Queryable, schema: string): Promise<void> {
  await transaction.execute(sql`create schema ${ident(schema)}`)
}

/** The columns that a SELECT gives, without running it. */
export async function columnsOf(transaction: Queryable, select: string): Promise<Column[]> {
  await transaction.execute(
    sql`create temporary table olytix_shape on commit drop as (${trusted(select)}) with no data`,
  )
  const columns = await transaction.many(
    z.object({ name: z.string(), type: z.string() }),
    sql`
      select attname::text as name, format_type(atttypid, atttypmod) as type
      from pg_attribute
      where attrelid = 'pg_temp.olytix_shape'::regclass and attnum > 0
      order by attnum`,
  )
  await transaction.execute(sql`drop table pg_temp.olytix_shape`)
  return columns
}

export function createTable(
  transaction: Queryable,
  target: TableName,
  select: string,
): Promise<number> {
  return transaction.execute(sql`create table ${named(target)} as (${trusted(select)})`)
}

/** Without row security, which would keep some: `demandAllRows` has said so. */
export async function deleteAll(transaction: Queryable, target: TableName): Promise<void> {
  await transaction.execute(sql`delete from ${named(target)}`)
}

/** Statements that row security would cut rows from fail from here on, or no longer. */
export async function demandAllRows(transaction: Queryable, isDemanded: boolean): Promise<void> {
  const value = isDemanded ? 'off' : 'on'
  await transaction.execute(sql`select set_config('row_security', ${value}, true)`)
}

/** Of a table without rows. What depends on a column that goes, a policy too, makes it fail. */
export async function changeColumns(
  transaction: Queryable,
  target: TableName,
  before: readonly Column[],
  after: readonly Column[],
): Promise<void> {
  const old = new Map(before.map(({ name, type }) => [name, type]))
  const kept = new Set(after.map(({ name }) => name))
  const changes = [
    ...before
      .filter(({ name }) => !kept.has(name))
      .map(({ name }) => sql`drop column ${ident(name)}`),
    ...after.flatMap(({ name, type }) => {
      const column = ident(name)
      if (!old.has(name)) return [sql`add column ${column} ${trusted(type)}`]
      if (old.get(name) === type) return []
      return [sql`alter column ${column} type ${trusted(type)} using null::${trusted(type)}`]
    }),
  ]
  if (changes.length === 0) return
  await transaction.execute(sql`alter table ${named(target)} ${joinSql(changes, ', ')}`)
}

/** By name: the order of columns may differ. */
export function insertRows(
  transaction: Queryable,
  target: TableName,
  columns: readonly Column[],
  select: string,
): Promise<number> {
  const names = listed(columns)
  return transaction.execute(
    sql`insert into ${named(target)} (${names}) select ${names} from (${trusted(select)}) as olytix_rows`,
  )
}

/** Rows that are to be put into a table, kept aside. */
export async function keepAside(transaction: Queryable, select: string): Promise<void> {
  await transaction.execute(
    sql`create temporary table olytix_aside on commit drop as (${trusted(select)})`,
  )
}

export const ASIDE = 'select * from pg_temp.olytix_aside'

export async function hasNullKeys(
  transaction: Queryable,
  key: readonly string[],
): Promise<boolean> {
  const isNull = joinSql(
    key.map((name) => sql`${ident(name)} is null`),
    ' or ',
  )
  return (
    (await transaction.execute(sql`select from pg_temp.olytix_aside where ${isNull} limit 1`)) > 0
  )
}

/** Removes rows that have the key of one that is kept aside. */
export async function deleteReplaced(
  transaction: Queryable,
  target: TableName,
  key: readonly string[],
): Promise<void> {
  await transaction.execute(
    sql`delete from ${named(target)} as old using pg_temp.olytix_aside as new where ${equalKeys(key)}`,
  )
}

/** Updates rows that have the key of one that is kept aside, and adds the rest. */
export function mergeRows(
  transaction: Queryable,
  target: TableName,
  columns: readonly Column[],
  key: readonly string[],
): Promise<number> {
  const rest = columns.filter(({ name }) => !key.includes(name)).map(({ name }) => ident(name))
  const assignments = joinSql(
    rest.map((name) => sql`${name} = new.${name}`),
    ', ',
  )
  const whenMatched = rest.length > 0 ? sql`update set ${assignments}` : sql`do nothing`
  const values = joinSql(
    columns.map(({ name }) => sql`new.${ident(name)}`),
    ', ',
  )
  return transaction.execute(sql`
    merge into ${named(target)} as old using pg_temp.olytix_aside as new on ${equalKeys(key)}
    when matched then ${whenMatched}
    when not matched then insert (${listed(columns)}) values (${values})`)
}

/** Whether row security holds for the owner of a table too. Nobody can read the table until the transaction ends. */
export async function force(
  transaction: Queryable,
  target: TableName,
  isForced: boolean,
): Promise<void> {
  const verb = isForced ? sql`force` : sql`no force`
  await transaction.execute(sql`alter table ${named(target)} ${verb} row level security`)
}

export async function analyze(transaction: Queryable, target: TableName): Promise<void> {
  await transaction.execute(sql`analyze ${named(target)}`)
}

/** Whoever reads it needs the right to read what it reads, and row security there holds for them. */
export async function makeView(
  transaction: Queryable,
  target: TableName,
  select: string,
): Promise<void> {
  await transaction.execute(
    sql`create or replace view ${named(target)} with (security_invoker = true) as (${trusted(select)})`,
  )
}

export async function dropTarget(
  transaction: Queryable,
  target: TableName,
  kind: 'table' | 'view',
): Promise<void> {
  await transaction.execute(sql`drop ${trusted(kind)} ${named(target)}`)
}

/** GRANTs that give again who may read it, and REVOKEs that take that from all others. */
export async function listReadGrants(
  transaction: Queryable,
  { schema, table }: TableName,
): Promise<{ readonly grants: string[]; readonly revokes: string[] }> {
  const rows = await transaction.many(
    z.object({ grant: z.string(), revoke: z.string() }),
    sql`
      select
        format('grant select on %I.%I to %s', n.nspname, c.relname, who) as grant,
        format('revoke all on %I.%I from %s', n.nspname, c.relname, who) as revoke
      from pg_class as c
      join pg_namespace as n on n.oid = c.relnamespace
      cross join lateral aclexplode(c.relacl) as acl
      cross join lateral (
        select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as who
      ) as named
      where n.nspname = ${schema} and c.relname = ${table} and acl.grantee <> c.relowner
        and acl.privilege_type = 'SELECT'`,
  )
  return { grants: rows.map((row) => row.grant), revokes: rows.map((row) => row.revoke) }
}

export async function executeAll(
  transaction: Queryable,
  statements: readonly string[],
): Promise<void> {
  for (const each of statements) await transaction.execute(trusted(each))
}

export async function comment(
  transaction: Queryable,
  target: TableName,
  kind: 'table' | 'view',
  text: string,
): Promise<void> {
  const quoted = `'${text.replaceAll("'", "''")}'`
  await transaction.execute(sql`comment on ${trusted(kind)} ${named(target)} is ${trusted(quoted)}`)
}

function equalKeys(key: readonly string[]): Sql {
  return joinSql(
    key.map((name) => sql`old.${ident(name)} = new.${ident(name)}`),
    ' and ',
  )
}

function listed(columns: readonly Column[]): Sql {
  return joinSql(
    columns.map(({ name }) => ident(name)),
    ', ',
  )
}

function named({ schema, table }: TableName): Sql {
  return ident(schema, table)
}
