import type { TableName } from './project.js'

/** A rule that rows of the warehouse keep, or do not. */
export interface DataTest {
  /** `fct_orders.region:not_null`; of a file below `tests/` its name. */
  readonly name: string
  /** The model, seed or `source.table` whose column it looks at; `undefined` for a file's own SELECT. */
  readonly subject: string | undefined
  /** Of its file. */
  readonly path: string
  /** Whether rows that break it make a run fail. */
  readonly severity: 'error' | 'warn'
  /** A SELECT whose only value is how many rows, or values, break it. */
  readonly count: string
  readonly tables: readonly TableName[]
}

/** How old the newest row of a table may be. */
export interface Freshness {
  /** `raw.orders`: source and table. */
  readonly name: string
  readonly source: string
  readonly table: TableName
  /** A SELECT whose only value is that age in seconds; null when there is no row. */
  readonly age: string
  readonly warnAfterSeconds: number | undefined
  readonly errorAfterSeconds: number | undefined
}
