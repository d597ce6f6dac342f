import type { Statement, TextRows } from '@olytix/postgres'
import { z } from 'zod'
import type { TableName } from './check-role.queries.js'

/** A table or view as the warehouse holds it. */
export interface StoredRelation extends TableName {
  /** `other`: what it reads is not known here, as of a foreign table. */
  readonly kind: 'table' | 'view' | 'other'
  readonly columns: readonly string[]
  /** The SELECT of a view or materialized view, names of other schemas than `pg_catalog` qualified. */
  readonly definition: string | undefined
  /** What a view reads; of a table its partitions, and those that it is one of. */
  readonly reads: readonly TableName[]
  /** Made by a run of models. */
  readonly isBuilt: boolean
}

/** How the comment of a table that a run built begins. */
const BUILT_COMMENT = 'olytix: '

const NEXT = `
  select d.refobjid as oid
  from pg_rewrite as w
  join pg_depend as d
    on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
  where w.ev_class = known.oid and d.refobjid <> known.oid
  union
  select i.inhparent from pg_inherits as i where i.inhrelid = known.oid
  union
  select i.inhrelid from pg_inherits as i where i.inhparent = known.oid`

const RELATIONS = `
  with recursive known (oid) as (
    select c.oid
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join unnest($1::text[], $2::text[]) as used (schema, name) on used.schema = n.nspname and used.name = c.relname
    union
    select next.oid from known cross join lateral (${NEXT}) as next
  )
  select
    n.nspname, c.relname, c.relkind,
    case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
    (
      select coalesce(json_agg(a.attname order by a.attnum), '[]')
      from pg_attribute as a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ),
    (
      select coalesce(json_agg(json_build_object('schema', m.nspname, 'table', o.relname)), '[]')
      from (${NEXT}) as next
      join pg_class as o on o.oid = next.oid
      join pg_namespace as m on m.oid = o.relnamespace
    ),
    coalesce(starts_with(obj_description(c.oid, 'pg_class'), $3), false)
  from known
  join pg_class as c on c.oid = known.oid
  join pg_namespace as n on n.oid = c.relnamespace
  order by 1, 2`

const Row = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.string().nullable(),
  z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  z
    .string()
    .transform((text) =>
      z.array(z.object({ schema: z.string(), table: z.string() })).parse(JSON.parse(text)),
    ),
  z.enum(['t', 'f']).transform((text) => text === 't'),
])

const KINDS: Readonly<Record<string, StoredRelation['kind']>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'view',
}

/** @see Warehouse.storedRelations */
export async function storedRelations(
  read: (statement: Statement) => Promise<TextRows['rows']>,
  tables: readonly TableName[],
): Promise<StoredRelation[]> {
  const values = [
    tables.map(({ schema }) => schema),
    tables.map(({ table }) => table),
    BUILT_COMMENT,
  ]
  const rows = await read({ text: RELATIONS, values })
  return rows.map((row): StoredRelation => {
    const [schema, table, kind, definition, columns, reads, isBuilt] = Row.parse(row)
    const known = KINDS[kind] ?? 'other'
    return {
      schema,
      table,
      kind: known,
      columns,
      definition: definition ?? undefined,
      reads,
      isBuilt,
    }
  })
}
