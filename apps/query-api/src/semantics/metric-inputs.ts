import type { FilterNode } from '../project/filter-shape.js'
import type { DimensionType, Measure, Project, ValueExpression } from '../project/project.js'

/** A measure with the filters of the metrics that use it. */
export interface MetricInput {
  readonly measure: Measure
  readonly filters: readonly FilterNode[]
}

/** A metric taken apart into the measures that it is computed from. */
export interface MetricValue {
  readonly parts: readonly (string | MetricInput)[]
}

/** Which metric or measure a name stands for. */
export interface NamedMetric {
  readonly key: string
  readonly title: string
  readonly format: string | undefined
  readonly value: MetricValue
  readonly timeGrain: Project['metrics'][string]['timeGrain']
}

/**
 * Looks up `metric` or `cube.measure`. Filters of a metric reach everything below it.
 * @param seesPrivate whether what is not public exists for the one who asks
 */
export function findMetric(
  project: Project,
  key: string,
  seesPrivate: boolean,
): NamedMetric | undefined {
  const metric = project.metrics[key]
  if (metric && (metric.isPublic || seesPrivate)) {
    const { title, format, timeGrain } = metric
    return { key, title, format, timeGrain, value: expand(project, metric.value, metric.filters) }
  }
  const measure = findMeasure(project, key, seesPrivate)
  if (!measure) return undefined
  const { title, format } = measure
  return { key, title, format, timeGrain: undefined, value: expandMeasure(project, measure, []) }
}

function findMeasure(project: Project, key: string, seesPrivate: boolean): Measure | undefined {
  const [cubeName = '', name = '', ...others] = key.split('.')
  const cube = project.cubes[cubeName]
  const measure = cube?.measures[name]
  if (!measure || others.length > 0) return undefined
  return seesPrivate || (cube.isPublic && measure.isPublic) ? measure : undefined
}

function expand(
  project: Project,
  value: ValueExpression,
  filters: readonly FilterNode[],
): MetricValue {
  const parts = value.parts.flatMap((part): MetricValue['parts'] => {
    if (typeof part === 'string') return [part]
    if ('measure' in part) {
      const measure = project.cubes[part.cube]?.measures[part.measure]
      return measure ? expandMeasure(project, measure, filters).parts : []
    }
    const metric = project.metrics[part.metric]
    if (!metric) return []
    return wrapped(expand(project, metric.value, [...filters, ...metric.filters]))
  })
  return { parts }
}

function expandMeasure(
  project: Project,
  measure: Measure,
  filters: readonly FilterNode[],
): MetricValue {
  if (!measure.value) return { parts: [{ measure, filters }] }
  return { parts: wrapped(expand(project, measure.value, filters)) }
}

function wrapped({ parts }: MetricValue): MetricValue['parts'] {
  return parts.length === 1 ? parts : ['(', ...parts, ')']
}

/** What a metric's values are: what its one measure gives, or the number that arithmetic gives. */
export function typeOf({ parts }: MetricValue): DimensionType {
  const [only, ...others] = parts
  return typeof only === 'object' && others.length === 0 ? only.measure.valueType : 'number'
}

/** The measures that a metric is computed from. */
export function inputsOf({ parts }: MetricValue): MetricInput[] {
  return parts.flatMap((part) => (typeof part === 'string' ? [] : [part]))
}
