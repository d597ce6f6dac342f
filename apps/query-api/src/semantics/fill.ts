import { GRANULARITIES } from '../project/project.js'
import { type AskedDimension, resolveDimension } from './asked-dimensions.js'
import type { FactBuilder } from './fact-builder.js'
import type { Planning } from './plan-query.js'
import type { FillPlan } from './query-plan.js'
import { rangeOf } from './time-range.js'
import { toCondition } from './to-condition.js'

/**
 * How gaps in the asked periods are filled: from the first period of the question's range to the last, or between those
 * of the groups that the caller sees. `undefined` when that is not asked for, or after reporting why it cannot be done.
 */
export function planFill(
  planning: Planning,
  builders: readonly FactBuilder[],
  dimensions: readonly AskedDimension[],
): FillPlan | undefined {
  if (planning.request.fill !== true) return undefined
  const timed = dimensions.flatMap(({ planned }, dimension) => {
    const { type, granularity } = planned
    return type === 'time' && granularity ? [{ dimension, unit: granularity }] : []
  })
  const [only, ...others] = timed
  if (!only || others.length > 0) {
    const message = `needs one time with a granularity (${GRANULARITIES.join(', ')}) among the dimensions`
    planning.issues.add('fill', message)
    return undefined
  }
  return { ...only, range: boundsOf(planning, builders, dimensions[only.dimension]) }
}

/** The range of a question, if it is one of the very time that is filled. */
function boundsOf(
  planning: Planning,
  builders: readonly FactBuilder[],
  filled: AskedDimension | undefined,
): FillPlan['range'] {
  const range = rangeOf(planning.request)
  const dimension = range && resolveDimension(planning, range.node.dimension, range.path)
  if (!range || !dimension || !filled) return undefined
  const isSame = builders.every((builder) => {
    const [one, other] = [dimension, filled].map((each) => each.memberFor(builder))
    if (typeof one !== 'object' || typeof other !== 'object') return false
    const names = [one, other].map(({ start, hops }) => [start, ...hops.map(({ name }) => name)])
    return one.dimension === other.dimension && names[0]?.join() === names[1]?.join()
  })
  if (!isSame) return undefined
  const find = () => ({ subject: 'period' as const, comparand: dimension.planned })
  const condition = toCondition(range.node, range.path, planning, find)
  return condition?.kind === 'test' ? condition.test : undefined
}
