import type { Lineage, Relation, TableName } from './project.js'

/** What SQL reads by name: a declared table, or a model. */
export type RelationName = { readonly table: TableName } | { readonly model: string }

export const MATERIALIZATIONS = ['view', 'table', 'incremental', 'ephemeral'] as const

/** How a model is kept in the warehouse. */
export type Materialization = (typeof MATERIALIZATIONS)[number]

export const INCREMENTAL_STRATEGIES = ['append', 'delete+insert', 'merge'] as const

/** What happens to rows that an incremental model has already. */
export type IncrementalStrategy = (typeof INCREMENTAL_STRATEGIES)[number]

/** A SELECT over sources and other models. */
export interface Model {
  readonly name: string
  /** Of its file, below the project folder. */
  readonly path: string
  readonly materialized: Materialization
  /** Where it is kept; `undefined` for an ephemeral one, which is kept nowhere. */
  readonly target: TableName | undefined
  /** Its rows are kept, so that it is read from its target and needs a run first. */
  readonly isStored: boolean
  /** What readers read: the target of a stored model, else its SELECT. */
  readonly relation: Relation
  /** What gives all its rows. */
  readonly select: string
  /** Of an incremental model: what gives the rows that are added to those that are there. */
  readonly increment: Increment | undefined
  /** Of the rows that any build of it gives, down to the tables that they come from. */
  readonly lineage: Lineage
  /** The same, one step: from what its SQL names, and how. @see namedAsTable */
  readonly oneStep: Lineage
  readonly tags: readonly string[]
  readonly hooks: Hooks
  /** What its SQL names, each once. */
  readonly reads: readonly RelationName[]
}

export interface Increment {
  readonly select: string
  readonly strategy: IncrementalStrategy
  /** Columns by which a new row takes an old one's place. Empty for `append`. */
  readonly uniqueKey: readonly string[]
}

/** Statements before and after a model is built, in the same transaction. Only the project file can hold them. */
export interface Hooks {
  readonly pre: readonly string[]
  readonly post: readonly string[]
}
