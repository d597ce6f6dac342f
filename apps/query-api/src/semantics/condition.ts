export { DATE_PARTS } from '../project/date-parts.js'
import type { DatePart } from '../project/date-parts.js'
import type { DimensionType, Expression, Granularity, Relation } from '../project/project.js'

/** Stands in a plan for a value of the question, which is put in afterwards. */
export class Slot {
  constructor(
    readonly test: number,
    readonly position: number,
  ) {}
}

/** What may be bound to one parameter; a list is one. */
export type Bound = Scalar | readonly Scalar[] | Slot

type Scalar = string | boolean

/** A value that is bound, with the PostgreSQL type that it is sent as. */
export interface Value<V extends Scalar | Slot = Scalar | Slot> {
  readonly type: 'text' | 'bigint' | 'numeric' | 'boolean' | 'timestamp' | 'timestamptz'
  readonly value: V
}

/** A value that is there already. */
export type GivenValue = Value<Scalar>

/** One test of one value. Those that negate are true for NULL; the others are not. */
export type Test =
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly value: Value }
  | { readonly kind: 'differs'; readonly value: Value }
  | {
      readonly kind: 'in'
      readonly type: Value['type']
      readonly values: readonly Scalar[] | Slot
      readonly isNegated: boolean
    }
  /** `pattern` for ILIKE. */
  | { readonly kind: 'like'; readonly pattern: string | Slot; readonly isNegated: boolean }
  | { readonly kind: 'null'; readonly isNegated: boolean }
  | { readonly kind: 'between'; readonly low: Value; readonly high: Value }
  /** At or after `from` and before `to`. */
  | {
      readonly kind: 'period'
      readonly from: Value | undefined
      readonly to: Value | undefined
      readonly isNegated: boolean
    }
  /** So many whole periods before the present one, in the zone of the session. */
  | { readonly kind: 'recent'; readonly count: number; readonly unit: Granularity }
  /** The periods of this length that begin at these times. */
  | {
      readonly kind: 'periods'
      readonly unit: Granularity
      readonly starts: readonly string[] | Slot
      readonly isNegated: boolean
    }

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

/** A condition over subjects of one kind: rows of a fact, or groups of the answer. */
export type Condition<S> =
  | { readonly kind: 'and'; readonly conditions: readonly Condition<S>[] }
  | { readonly kind: 'or'; readonly conditions: readonly Condition<S>[] }
  /** True for what the inner condition is not true for, NULLs too. */
  | { readonly kind: 'not'; readonly condition: Condition<S> }
  /** SQL's NOT: unknown stays unknown. For policies. */
  | { readonly kind: 'sqlNot'; readonly condition: Condition<S> }
  | { readonly kind: 'test'; readonly subject: S; readonly test: Test }
  /** A segment, or a filter of a measure. */
  | { readonly kind: 'holds'; readonly subject: S }
  | { readonly kind: 'never' }
  /** A row that joins lead to is there and passes. For policies. */
  | {
      readonly kind: 'exists'
      readonly partners: readonly Partner[]
      readonly condition: Condition<S>
    }

/** An expression over the row that an alias names. */
export interface RowValue {
  readonly alias: string
  readonly expression: Expression
  readonly type: DimensionType
  /**
   * A time is compared as written in UTC, whatever zone the question has. For policies: otherwise whoever asks could
   * move the border of a day.
   */
  readonly isInUtc?: true
  /** Not the time itself, but this part of it. */
  readonly datePart?: DatePart | undefined
}

export type RowCondition = Condition<RowValue>

/** Rows of another cube, joined to those that stand before it: only looked at, so that they multiply nothing. */
export interface Partner {
  readonly alias: string
  readonly relation: Relation
  readonly on: Expression
  /** Aliases of the two sides that `on` speaks of. */
  readonly own: string
  readonly other: string
  /** Partitions that are equal on both sides. */
  readonly equal: readonly (readonly [RowValue, RowValue])[]
}

/** Several conditions that must all hold; `undefined` when there are none. */
export function allOf<S>(conditions: readonly Condition<S>[]): Condition<S> | undefined {
  const [first, ...others] = conditions
  return others.length === 0 ? first : { kind: 'and', conditions }
}

/** Every subject of a condition. */
export function subjectsOf<S>(condition: Condition<S>): S[] {
  if (condition.kind === 'and' || condition.kind === 'or') {
    return condition.conditions.flatMap((each) => subjectsOf(each))
  }
  if (condition.kind === 'not' || condition.kind === 'sqlNot' || condition.kind === 'exists')
    return subjectsOf(condition.condition)
  return condition.kind === 'never' ? [] : [condition.subject]
}
