import type {
  Cube,
  DimensionType,
  Expression,
  Granularity,
  MeasureType,
} from '../project/project.js'
import type { Condition, RowCondition, RowValue } from './condition.js'

export type { Expression, Granularity } from '../project/project.js'

/** A cube's rows under the alias that they have inside one fact. */
export interface SourceNode {
  readonly alias: string
  readonly cube: Cube
}

/** `left join` of a source to one that stands before it. It never multiplies rows. */
export interface JoinNode {
  readonly source: SourceNode
  readonly on: Expression
  /** Aliases of the two sides that `on` speaks of. */
  readonly own: string
  readonly other: string
}

/** A dimension of the answer inside one fact. */
export interface GroupColumn {
  readonly value: RowValue
  readonly granularity: Granularity | undefined
}

export interface AggregateColumn {
  readonly alias: string
  readonly type: Exclude<MeasureType, 'number'> | 'least' | 'greatest'
  /** `undefined`: rows are counted. */
  readonly value: RowValue | undefined
  readonly percentile: number | undefined
  readonly filter: RowCondition | undefined
}

/**
 * The measures of one cube, aggregated in a sub-query of their own to the grain of the answer, before they meet others:
 * so no join can count a row twice.
 */
export interface FactPlan {
  readonly base: SourceNode
  readonly joins: readonly JoinNode[]
  /** One for each dimension of the plan, in its order. */
  readonly groups: readonly GroupColumn[]
  readonly aggregates: readonly AggregateColumn[]
  readonly where: RowCondition | undefined
}

export interface AggregateRef {
  readonly fact: number
  readonly aggregate: number
}

/** Arithmetic over aggregates of facts. */
export interface GroupValue {
  readonly parts: readonly (string | AggregateRef)[]
}

/** What a condition on groups may test: a metric, or a dimension that is asked for. */
export type GroupSubject = { readonly value: GroupValue } | { readonly dimension: number }

export interface PlannedDimension {
  readonly key: string
  readonly type: DimensionType
  readonly granularity: Granularity | undefined
  readonly title: string
  readonly format: string | undefined
}

export interface PlannedMetric {
  readonly key: string
  readonly value: GroupValue
  readonly title: string
  readonly format: string | undefined
}

export interface OrderTerm {
  readonly by: GroupSubject
  readonly isDescending: boolean
}

/** A member that a query needs, asked for or not: policies decide over it. */
export interface UsedMember {
  readonly cube: string
  readonly member: string
}

/** A question with every name looked up, and how to answer it. Knows nothing of who asks. */
export interface QueryPlan {
  readonly facts: readonly FactPlan[]
  readonly dimensions: readonly PlannedDimension[]
  readonly metrics: readonly PlannedMetric[]
  readonly having: Condition<GroupSubject> | undefined
  readonly order: readonly OrderTerm[]
  readonly limit: number
  readonly offset: number
  readonly timezone: string
  readonly members: readonly UsedMember[]
}
