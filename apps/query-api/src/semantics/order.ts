import type { QueryRequest } from './query-request.js'
import { type AskedDimension, resolveDimension } from './asked-dimensions.js'
import type { Facts } from './facts.js'
import { findMetric } from './metric-inputs.js'
import type { Planning } from './plan-query.js'
import type { GroupSubject, OrderTerm } from './query-plan.js'

type Asked = QueryRequest['orderBy'][number]

/**
 * The order of the rows: as asked, then by all dimensions, so that pages never overlap. A metric need not be selected.
 * Groups are ordered by a dimension that is not selected by its least value in each, downwards by its greatest.
 */
export function planOrder(
  planning: Planning,
  facts: Facts,
  dimensions: readonly AskedDimension[],
): OrderTerm[] {
  const asked = planning.request.orderBy.flatMap((term, index): OrderTerm[] => {
    const path = `order_by[${String(index)}].field`
    const by = target(planning, facts, dimensions, { term, path })
    return by ? [{ by, isDescending: term.direction === 'desc' }] : []
  })
  const named = new Set(asked.flatMap(({ by }) => ('dimension' in by ? [by.dimension] : [])))
  const rest = dimensions.flatMap((_, dimension) => {
    return named.has(dimension) ? [] : [{ by: { dimension }, isDescending: false }]
  })
  return [...asked, ...rest]
}

function target(
  planning: Planning,
  facts: Facts,
  dimensions: readonly AskedDimension[],
  { term, path }: { readonly term: Asked; readonly path: string },
): GroupSubject | undefined {
  const { field } = term
  const index = dimensions.findIndex(({ planned }) => planned.key === field)
  if (index >= 0) return { dimension: index }
  const metric = findMetric(planning.project, field, false)
  if (metric) return metricTarget(planning, facts, metric, path)
  const { vocabulary, issues } = planning
  const dimensionsAndMetrics = () => [...vocabulary.dimensions(), ...vocabulary.metrics()]
  const dimension = resolveDimension(
    { ...planning, vocabulary: { ...vocabulary, dimensions: dimensionsAndMetrics } },
    field,
    path,
  )
  if (!dimension) return undefined
  const type = term.direction === 'desc' ? 'greatest' : 'least'
  const refs = facts.all.flatMap((builder, fact) => {
    const value = facts.place(builder, dimension.memberFor(builder), path)
    return value ? [{ fact, aggregate: builder.extreme(value, type, field) }] : []
  })
  const [first, ...others] = refs
  if (!first) {
    if (issues.found.length === 0) issues.add(path, `nothing can be ordered by ${field} here`)
    return undefined
  }
  if (others.length === 0) return { value: { parts: [first] } }
  const separated = others.flatMap((ref) => [', ', ref])
  return { value: { parts: [`${type}(`, first, ...separated, ')'] } }
}

function metricTarget(
  { issues }: Planning,
  facts: Facts,
  metric: NonNullable<ReturnType<typeof findMetric>>,
  path: string,
): GroupSubject | undefined {
  const before = facts.all.length
  facts.addFactsOf(metric)
  if (facts.all.length > before && before > 0) {
    // Rows of a fact that nobody asked for would join the answer.
    issues.add(path, `${metric.key} belongs to another cube than what is asked for; select it too`)
    return undefined
  }
  return { value: facts.groupValue(metric.value) }
}
