import type { Model } from './model.js'
import type { Relation, TableName } from './project.js'
import type { SeedType } from './seed-types.js'

/** What `ref` names: a model or a seed. */
export type Referable = Pick<Model, 'name' | 'relation'>

/** Rows that a file of the project holds. They are read from a table of the warehouse, once they are loaded into it. */
export interface Seed {
  readonly name: string
  readonly path: string
  readonly description: string
  readonly target: TableName
  readonly columns: readonly SeedColumn[]
  /** The table that it is loaded into. */
  readonly relation: Relation
  /** What gives its rows, of the file alone. */
  readonly select: string
}

export interface SeedColumn {
  readonly name: string
  readonly type: SeedType
  readonly description: string
}
