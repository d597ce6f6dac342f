import type { RelationName } from './model.js'
import type { TableName } from './project.js'

/** Each table once. */
export function uniqueTables(tables: readonly TableName[]): TableName[] {
  return [...new Map(tables.map((each) => [tableKey(each), each])).values()]
}

/** Tells tables apart, for maps and sets. */
export function tableKey({ schema, table }: TableName): string {
  return JSON.stringify([schema, table])
}

/** What SQL names, as a table: a model stands as one of no schema, which no table of a warehouse is. */
export function namedAsTable(of: RelationName): TableName {
  return 'model' in of ? { schema: '', table: of.model } : of.table
}

/** As SQL reads it. */
export function quotedTable({ schema, table }: TableName): string {
  return `${quoted(schema)}.${quoted(table)}`
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
