import { AGGREGATES } from './allowed-sql.js'
import type { Lineage, ReadColumn } from './project.js'
import { names, type TreeObject } from './sql-tree.js'

/** How a result reads a column: its values as they are, in an expression, in an aggregate; or to choose its rows. */
export type HowRead = 'copied' | 'computed' | 'aggregated' | 'joined' | 'filtered'

/** What is read inside an expression: an aggregate below stays one. */
export function computed(columns: readonly ReadColumn[]): ReadColumn[] {
  return columns.map((column) => {
    return { ...column, how: column.how === 'aggregated' ? column.how : 'computed' }
  })
}

/** The same columns, all read in one way. */
export function readAs(how: HowRead, columns: readonly ReadColumn[]): ReadColumn[] {
  return columns.map((column) => ({ ...column, how }))
}

/** Whether a call makes one value of many rows. A window function gives each row its own. */
export function isAggregate(call: TreeObject): boolean {
  return call['over'] === undefined && AGGREGATES.has(names(call['funcname']).at(-1) ?? '')
}

/** Which columns are read, without how. */
export function withoutHow({ columns, stars, rest, rows }: Lineage): Lineage {
  return {
    columns: columns.map(({ name, from }) => ({ name, from: bare(from) })),
    stars,
    rest: bare(rest),
    rows: bare(rows),
  }
}

function bare(columns: readonly ReadColumn[]): ReadColumn[] {
  return uniqueColumns(columns.map(({ schema, table, column }) => ({ schema, table, column })))
}

/** Each column once; one that is read in several ways, once for each. */
export function uniqueColumns(columns: readonly ReadColumn[]): ReadColumn[] {
  const key = ({ schema, table, column, how }: ReadColumn): string =>
    JSON.stringify([schema, table, column, how])
  return [...new Map(columns.map((each) => [key(each), each])).values()]
}
