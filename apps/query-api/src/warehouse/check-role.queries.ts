import type { Statement } from '@olytix/postgres'

/** A table or view of the warehouse. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** Who reads, whether that is a superuser or may bypass row security, and the version of the server as a number. */
export function findReader(): Statement {
  const text = `
    select r.rolname, r.rolsuper or r.rolbypassrls, current_setting('server_version_num')
    from pg_roles as r
    where r.rolname = current_user`
  return { text, values: [] }
}

/** Names of those tables that belong to who reads, or to a role of his. */
export function listOwned(tables: readonly TableName[]): Statement {
  const text = `
    ${USED}
    select c.oid::regclass
    from used
    join pg_class as c on c.oid = used.oid
    where pg_has_role(c.relowner, 'usage')
    order by 1`
  return { text, values: namesOf(tables) }
}

/**
 * The tables with row security that those tables are or read, as views do: the schema and name of what is used, the name
 * of the table, who counts as its reader, whether that is still who logs in, and why the policies do not hold. NULL: they do.
 *
 * A view reads as its owner unless it is `security_invoker`; a materialised view has read, as its owner, for everybody;
 * policies of a partitioned table say nothing about who reads a partition by its own name; a function that is SECURITY
 * DEFINER reads what nobody can tell.
 */
export function listReadings(tables: readonly TableName[]): Statement {
  const text = `
    ${USED}, ${READS}
    select
      n.nspname, u.relname, c.oid::regclass::text, w.rolname, w.rolname = current_user,
      case
        when reads.escape is not null then reads.escape
        when w.rolsuper or w.rolbypassrls then 'exempt'
        when pg_has_role(w.oid, c.relowner, 'usage') and not c.relforcerowsecurity then 'owner'
      end
    from reads
    join pg_class as u on u.oid = reads.used
    join pg_namespace as n on n.oid = u.relnamespace
    join pg_class as c on c.oid = reads.relation and c.relrowsecurity
    join pg_roles as w on w.oid = reads.reader
    union
    select n.nspname, u.relname, p.oid::regprocedure::text, pg_get_userbyid(p.proowner), false, 'function'
    from reads
    join pg_class as u on u.oid = reads.used
    join pg_namespace as n on n.oid = u.relnamespace
    join pg_rewrite as r on r.ev_class = reads.relation and r.ev_type = '1'
    join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    join pg_proc as p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid and p.prosecdef
    order by 1, 2, 3`
  return { text, values: namesOf(tables) }
}

const USED = `
  with recursive used as (
    select c.oid
    from unnest($1::text[], $2::text[]) as named (schema, name)
    join pg_namespace as n on n.nspname = named.schema
    join pg_class as c on c.relnamespace = n.oid and c.relname = named.name
  )`

/** What each of those reads, and as whom: down through views, and up to what a partition is a part of. */
const READS = `
  reads (used, relation, reader, escape) as (
    select oid, oid, (select oid from pg_roles where rolname = current_user), null
    from used
    union
    select reads.used, below.relation, below.reader, coalesce(reads.escape, below.escape)
    from reads
    join pg_class as c on c.oid = reads.relation
    cross join lateral (
      select
        d.refobjid as relation,
        case when c.relkind = 'v' and exists (
          select from pg_options_to_table(c.reloptions)
          where option_name = 'security_invoker' and option_value::boolean
        ) then reads.reader else c.relowner end as reader,
        case when c.relkind = 'm' then 'materialised' end as escape
      from pg_rewrite as r
      join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
      where r.ev_class = c.oid and r.ev_type = '1'
        and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid
      union all
      select inhparent, reads.reader, 'partition'
      from pg_inherits
      where inhrelid = c.oid and not c.relrowsecurity
    ) as below
  )`

function namesOf(tables: readonly TableName[]): readonly (readonly string[])[] {
  return [tables.map(({ schema }) => schema), tables.map(({ table }) => table)]
}
