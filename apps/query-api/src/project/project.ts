import type { Secret } from '@olytix/config'
import type { DataTest, Freshness } from './data-checks.js'
import type { FilterNode } from './filter-shape.js'
import type { HowRead } from './how-read.js'
import type { Model, RelationName } from './model.js'
import type { Named } from './named.js'
import type { PolicyCondition } from './policy-language.js'
import type { Seed } from './seed.js'

/** Everything that a project folder defines, checked and deeply frozen. */
export interface Project {
  readonly name: string
  readonly version: string
  readonly sources: Named<Source>
  readonly models: Named<Model>
  readonly seeds: Named<Seed>
  readonly tests: Named<DataTest>
  readonly freshness: Named<Freshness>
  readonly cubes: Named<Cube>
  readonly metrics: Named<Metric>
  readonly policies: readonly Policy[]
  readonly masking: readonly Masking[]
  /** Key of `mask: hash`. */
  readonly maskingKey: Secret | undefined
  /** From fine to coarse. */
  readonly timeSpines: readonly TimeSpine[]
  /** Every table that a cube reads. */
  readonly tables: readonly TableName[]
}

/** A table or view of the warehouse. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/** A column of a table of the warehouse; `*` for all of them. */
export interface ColumnName extends TableName {
  readonly column: string
}

/** A column that a result reads. */
export interface ReadColumn extends ColumnName {
  /** Told only where lineage is of one step. */
  readonly how?: HowRead
}

/** A column of a result, and the columns of tables that it is computed from. */
export interface OutputColumn {
  readonly name: string
  readonly from: readonly ReadColumn[]
}

/** What a relation reads, down to columns of tables. */
export interface Lineage {
  readonly columns: readonly OutputColumn[]
  /** Tables whose columns are columns of the result, under their own names. */
  readonly stars: readonly TableName[]
  /** What columns that are not listed may be computed from, besides those of `stars`. */
  readonly rest: readonly ReadColumn[]
  /** What the choice of rows depends on. */
  readonly rows: readonly ReadColumn[]
}

export interface Source {
  readonly name: string
  readonly description: string
  readonly tables: Named<SourceTable>
}

export interface SourceTable extends TableName {
  readonly description: string
  /** Names of the columns; `undefined` when the file lists none, so that any name may be used. */
  readonly columns: readonly string[] | undefined
}

/** A table with one row for each period of a granularity: what gaps are filled with, and windows and offsets begin at. */
export interface TimeSpine {
  readonly granularity: Granularity
  /** Quoted name of a table, or a SELECT in parentheses. */
  readonly table: string
  readonly tables: readonly TableName[]
  readonly column: string
  /** Granularities of a calendar of its own: the column that holds the beginning of each row's period, by name. */
  readonly calendar: Readonly<Record<string, string>>
}

/** What rows are read from: a table's quoted name, or a SELECT in parentheses. */
export interface Relation {
  readonly text: string
  /** Every table that it reads, through models too. */
  readonly tables: readonly TableName[]
  /** It may read more than that: something in the warehouse cannot be followed. */
  readonly isOpaque: boolean
  readonly lineage: Lineage
  /** How the stored models behind it are built: what they hold follows from that, not from `text`. */
  readonly builds: readonly string[]
  /** Names of its columns where they are known. */
  readonly columns: readonly string[] | undefined
}

export const GRANULARITIES = [
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'quarter',
  'year',
] as const

/** From fine to coarse, as in GRANULARITIES. A week may belong to two months. */
export type Granularity = (typeof GRANULARITIES)[number]

/** `14 days` */
export interface Interval {
  readonly count: number
  /** A granularity, or one of a calendar. */
  readonly unit: string
}

/** Where the value of a time is taken from: one interval before it, or the beginning of its period. */
export type Shift = { readonly back: Interval } | { readonly toGrain: Granularity } | 'prior'

export const PERIOD_AGGREGATES = ['first', 'last', 'average'] as const

/** How a cumulative value of days becomes one of a longer period. */
export type PeriodAggregate = (typeof PERIOD_AGGREGATES)[number]

/** Which rows are aggregated at a moment: those of a window that ends there, of its period so far, or all before. */
export interface Accumulation {
  readonly window: Interval | undefined
  readonly grainToDate: Granularity | undefined
  readonly periodAggregate: PeriodAggregate
}

export const MEASURE_TYPES = [
  'count',
  'count_distinct',
  'sum',
  'avg',
  'min',
  'max',
  'median',
  'percentile',
  'sum_boolean',
  'number',
] as const

export type MeasureType = (typeof MEASURE_TYPES)[number]

export const DIMENSION_TYPES = ['string', 'number', 'boolean', 'time'] as const

export type DimensionType = (typeof DIMENSION_TYPES)[number]

export const RELATIONSHIPS = ['many_to_one', 'one_to_one', 'one_to_many'] as const

export type Relationship = (typeof RELATIONSHIPS)[number]

/**
 * SQL printed from its parsed tree, open where a column of a row is read: which alias the row has depends on the query.
 * `own` is the cube that holds the expression, `other` the cube that a join leads to.
 */
export interface Expression {
  readonly parts: readonly (string | ColumnPart)[]
  /** Whether it can fail for some row (a cast, a function, arithmetic), which would tell that the row exists. */
  readonly canRaise: boolean
}

export interface ColumnPart {
  readonly column: string
  readonly of: 'own' | 'other'
}

/** Arithmetic over measures of one cube, or over metrics and measures of several. */
export interface ValueExpression {
  readonly parts: readonly (string | MeasureRef | MetricRef | ConversionRef)[]
}

/** How an input of a metric differs from what it names. */
export interface RefChange {
  readonly shift?: Shift | undefined
  readonly filters?: readonly FilterNode[] | undefined
}

export interface MeasureRef extends RefChange {
  readonly cube: string
  readonly measure: string
  /** Every period has a value, if only null. */
  readonly isOnSpine?: boolean | undefined
}

export interface MetricRef extends RefChange {
  readonly metric: string
}

/** Two dimensions, of the base cube and of the conversion cube, that must be equal. */
export interface ConversionPair {
  readonly base: string
  readonly conversion: string
}

export interface ConversionRef {
  readonly conversion: Conversion
  readonly isOnSpine: boolean
}

/** Rows of a measure that are credited to the latest row of a base measure before them. */
export interface Conversion {
  readonly base: Pick<MeasureRef, 'cube' | 'measure'>
  readonly measure: Pick<MeasureRef, 'cube' | 'measure'>
  readonly pairs: readonly ConversionPair[]
  readonly window: Interval | undefined
}

interface Member {
  readonly name: string
  readonly cube: string
  readonly title: string
  readonly description: string
  /** Not public: unknown to everybody outside the definitions. */
  readonly isPublic: boolean
}

export interface Measure extends Member {
  readonly type: MeasureType
  readonly format: string | undefined
  readonly drillMembers: readonly string[]
  /** What is aggregated; `undefined` for a plain count of rows and for `number`. */
  readonly expression: Expression | undefined
  /** For `number` only. */
  readonly value: ValueExpression | undefined
  /** Only rows for which all hold are aggregated. */
  readonly filters: readonly Expression[]
  /** Of `min` and `max` the type of the dimension that they take the extreme of; of all else `number`. */
  readonly valueType: DimensionType
  /** For `percentile`: 0 to 1. */
  readonly percentile: number | undefined
  /** A percentile that is one of the values, not between two. */
  readonly isDiscrete: boolean
  /** The time dimension that puts it on the time axis, if not the cube's primary time. */
  readonly time: string | undefined
  /** Not added over time: only rows at the first or last time of each group are aggregated. */
  readonly nonAdditive: NonAdditive | undefined
}

export interface NonAdditive {
  readonly time: string
  readonly choice: 'first' | 'last'
  /** Dimensions of the cube: the first or last time is looked for in each of their groups. */
  readonly by: readonly string[]
}

export interface Dimension extends Member {
  readonly type: DimensionType
  readonly expression: Expression
  readonly format: string | undefined
  readonly isPrimaryKey: boolean
  /** Of a time dimension, from fine to coarse. */
  readonly granularities: readonly Granularity[]
  /** Joined cubes that have a partition of the same name are joined on it too. */
  readonly isPartition: boolean
}

export interface Segment extends Member {
  readonly expression: Expression
}

export interface Join {
  readonly name: string
  /** The cube that it leads to. */
  readonly cube: string
  readonly relationship: Relationship
  readonly on: Expression
  /** Of a table with history: the row whose validity holds the time of what is measured. */
  readonly validity: { readonly from: Expression; readonly to: Expression } | undefined
}

export interface Cube {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly isPublic: boolean
  readonly relation: Relation
  /** What it names to read from, each once. */
  readonly reads: readonly RelationName[]
  /** Of its rows, one step: from what it names, and how. @see namedAsTable */
  readonly oneStep: Lineage
  readonly measures: Named<Measure>
  readonly dimensions: Named<Dimension>
  readonly segments: Named<Segment>
  readonly joins: Named<Join>
  /** The time dimension by which its measures are put on the time axis. */
  readonly primaryTime: string | undefined
  /** How long answers from its rows may be given again; `undefined`: they may not. */
  readonly refreshMs: number | undefined
}

export const METRIC_TYPES = ['simple', 'derived', 'ratio', 'cumulative', 'conversion'] as const

export type MetricType = (typeof METRIC_TYPES)[number]

export interface Metric {
  readonly name: string
  readonly type: MetricType
  readonly title: string
  readonly description: string
  readonly format: string | undefined
  readonly isPublic: boolean
  readonly value: ValueExpression
  readonly accumulation: Accumulation | undefined
  /** Every period of a range has a value, if only null. */
  readonly isOnSpine: boolean
  /** Stands for null. */
  readonly fill: number | undefined
  /** What `metric_time` without a granularity means for it. */
  readonly defaultGrain: Granularity | undefined
  /** Asked for without a time member, it is grouped by its cube's primary time at this grain. */
  readonly timeGrain: Granularity | undefined
  /** Hold for every measure that it needs. */
  readonly filters: readonly FilterNode[]
}

/** A row-level policy: which rows of a cube its roles see. */
export interface Policy {
  readonly name: string
  readonly cube: string
  readonly description: string
  /** `*` stands for everyone. */
  readonly roles: readonly string[]
  /** `undefined`: all rows. */
  readonly filter: PolicyCondition | undefined
  /** The same as it is written. */
  readonly filterText: string | undefined
  /** Members of the cube that this policy does not open. */
  readonly excludeMembers: readonly string[]
  readonly rowLimit: number | undefined
}

export const MASKS = ['null', 'partial', 'hash', 'none'] as const

/** What stands in place of a value; `none`: the value itself, said by an admin. */
export type Mask = (typeof MASKS)[number] | { readonly value: string | number | boolean }

/** A masking policy: what others than its exempt roles see of members of a cube. */
export interface Masking {
  readonly name: string
  readonly cube: string
  readonly description: string
  readonly members: readonly string[]
  readonly exceptRoles: readonly string[]
  readonly mask: Mask
}
