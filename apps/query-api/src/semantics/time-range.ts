import type { FilterLeaf } from '../project/filter-shape.js'
import type { QueryRequest } from './query-request.js'

/** Where a question's range stands in it. */
export const TIME_RANGE = 'time_range'

/** The range of a question as a filter. */
export function rangeOf({
  timeRange,
}: Pick<QueryRequest, 'timeRange'>):
  | { readonly node: FilterLeaf & { readonly dimension: string }; readonly path: string }
  | undefined {
  if (!timeRange) return undefined
  const { dimension } = timeRange
  const filter = { dimension, operator: 'between' } as const
  return 'last' in timeRange
    ? { node: { ...filter, last: timeRange.last }, path: TIME_RANGE }
    : { node: { ...filter, value: [timeRange.start, timeRange.end] }, path: TIME_RANGE }
}
