import type {
  Accumulation,
  Cube,
  DimensionType,
  Expression,
  Granularity,
  Interval,
  MeasureType,
  PeriodAggregate,
  TimeSpine,
} from '../project/project.js'
import type { Condition, RowCondition, RowValue, Test } from './condition.js'
import type { LateTest } from './late-values.js'

export type { Expression, Granularity, Interval, TimeSpine } from '../project/project.js'

/** A cube's rows under the alias that they have inside one fact. */
export interface SourceNode {
  readonly alias: string
  readonly cube: Cube
}

/** A time spine's rows: infrastructure that everybody may read. */
export interface SpineNode {
  readonly alias: string
  readonly spine: TimeSpine
}

/** `left join` of a source to one that stands before it. It never multiplies rows. */
export interface JoinNode {
  readonly source: SourceNode
  readonly on: Expression
  /** Aliases of the two sides that `on` speaks of. */
  readonly own: string
  readonly other: string
  /** Partitions that are equal on both sides. */
  readonly equal: readonly (readonly [RowValue, RowValue])[]
  /** The row of a history that was valid at `time`. */
  readonly validity:
    { readonly from: RowValue; readonly to: RowValue; readonly time: RowValue } | undefined
}

/** `left join` of a time spine to the day (or other period) of a time, for the periods of its calendar. */
export interface CalendarJoin extends SpineNode {
  readonly time: RowValue
}

/** `left join` of a metric, computed per key by a question of its own, to the rows that have the key. */
export interface KeyedMetric {
  readonly alias: string
  readonly plan: QueryPlan
  readonly keys: readonly RowValue[]
}

/** A moment that a time spine's rows look at: steps from the row's own time. */
export type Step = { readonly back: Interval } | { readonly toGrain: Granularity }

/** The rows of a time spine, each with the rows of the base that count for it. */
export interface TimelinePlan extends SpineNode {
  /** When a row of the base happened, cut to `cut` before it is compared. */
  readonly time: RowValue
  readonly cut: Granularity | undefined
  readonly steps: readonly Step[]
  readonly accumulation: Accumulation | undefined
  /** Only rows of the spine that begin a period of one of these; none: all. */
  readonly starts: readonly Granularity[]
  /** Which of the moments looked at count. */
  readonly within: Condition<'moment'> | undefined
  /** How values of the spine's rows become values of longer groups; they are aggregated at once otherwise. */
  readonly regroup: PeriodAggregate | undefined
}

/** Only rows at the first or last time of each of these groups are aggregated. */
export interface EdgePlan {
  readonly time: RowValue
  readonly choice: 'first' | 'last'
  readonly by: readonly RowValue[]
  /** Groups of the answer, by position. */
  readonly groups: readonly number[]
}

/** Rows that are each credited to the latest row of the base before them. */
export interface ConversionPlan {
  readonly source: SourceNode
  readonly equal: readonly (readonly [RowValue, RowValue])[]
  readonly baseTime: RowValue
  readonly time: RowValue
  readonly window: Interval | undefined
}

/** All periods of a time spine, to which the groups of a fact are joined by these positions. */
export interface OnSpinePlan {
  readonly periods: FactPlan
  readonly positions: readonly number[]
  /** Filters on what is asked for, which hold for groups without rows too. */
  readonly where: Condition<GroupSubject> | undefined
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
  readonly isDiscrete: boolean
  /** Counts nothing, not 0, where no row passes the filter. */
  readonly isNullWithoutRows: boolean
  readonly filter: RowCondition | undefined
}

/**
 * The measures of one cube, aggregated in a sub-query of their own to the grain of the answer, before they meet others:
 * so no join can count a row twice.
 */
export interface FactPlan {
  readonly base: SourceNode | SpineNode
  readonly joins: readonly JoinNode[]
  /** Rows without a partner appear on both sides: for the values of dimensions. */
  readonly isFullJoin: boolean
  readonly calendars: readonly CalendarJoin[]
  readonly keyed: readonly KeyedMetric[]
  /** One for each dimension of the plan, in its order; `undefined` for one that another fact has. */
  readonly groups: readonly (GroupColumn | undefined)[]
  readonly aggregates: readonly AggregateColumn[]
  readonly where: RowCondition | undefined
  /** Each row of the base with every period of a time spine. */
  readonly periods?: SpineNode | undefined
  readonly timeline?: TimelinePlan | undefined
  readonly edge?: EdgePlan | undefined
  readonly conversion?: ConversionPlan | undefined
  readonly onSpine?: OnSpinePlan | undefined
  /** Of totals: in which groups of the answer a row is. Only rows of groups that the answer has are aggregated. */
  readonly passing?: FactPlan['groups'] | undefined
}

export interface AggregateRef {
  readonly fact: number
  readonly aggregate: number
  /** 0 stands for null: where gaps are filled, nothing to count or add is 0. */
  readonly isZeroWithoutRows?: boolean
}

/** Every period of one dimension of the answer, for each combination of the others. */
export interface FillPlan {
  readonly dimension: number
  readonly unit: Granularity
  /** The question's range over that time; `undefined`: from the first to the last period that has rows. */
  readonly range: Test | undefined
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
  readonly fill?: FillPlan | undefined
  /** Of groups, gaps that are filled among them. */
  readonly having: Condition<GroupSubject> | undefined
  readonly order: readonly OrderTerm[]
  /** Infinity: all rows. */
  readonly limit: number
  readonly offset: number
  readonly timezone: string
  readonly members: readonly UsedMember[]
  /** What its slots stand for. */
  readonly late: readonly LateTest[]
}
