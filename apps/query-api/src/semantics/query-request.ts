import type { FilterNode } from '../project/filter-shape.js'
import type { Interval } from '../project/project.js'

/** A question, as it was asked: names are not looked up yet. */
export interface QueryRequest {
  /** `metric` or `cube.measure`. */
  readonly metrics: readonly string[]
  /** `cube.dimension`, `cube.time.grain`, `cube.join.dimension`, `metric_time.grain`. */
  readonly dimensions: readonly string[]
  /** All of them must hold. */
  readonly filters: readonly FilterNode[]
  readonly segments: readonly string[]
  readonly timeRange?:
    | { readonly dimension: string; readonly start: string; readonly end: string }
    | { readonly dimension: string; readonly last: Interval }
    | undefined
  readonly orderBy: readonly { readonly field: string; readonly direction: 'asc' | 'desc' }[]
  /** Periods without rows are answered too. */
  readonly fill?: boolean | undefined
  readonly limit: number
  readonly offset: number
  /** The metrics of all rows of the answer together are asked for too. */
  readonly totals?: boolean | undefined
  /** IANA name. */
  readonly timezone: string
}

/** Names that may be suggested to whoever asks; only looked up when something is wrong. */
export interface Vocabulary {
  /** Metrics and measures. */
  readonly metrics: () => readonly string[]
  /** Dimensions, also with granularities. */
  readonly dimensions: () => readonly string[]
  readonly segments: () => readonly string[]
}
