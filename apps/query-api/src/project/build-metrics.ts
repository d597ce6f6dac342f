import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { MetricShape } from './definition-schemas.js'
import type { FilterLeaf, FilterNode } from './filter-shape.js'
import { dimensionNames, findDimension } from './member-names.js'
import { type Defined, type Problems, titleOf } from './problems.js'
import { byName, type Named } from './named.js'
import type { Metric, ValueExpression } from './project.js'
import { type KnownMetrics, metricValue } from './metric-value.js'

/** Metrics by name. A circle of metrics is a problem. */
export function buildMetrics(
  definitions: readonly Defined<MetricShape>[],
  { cubes, timeSpines }: Pick<KnownMetrics, 'cubes' | 'timeSpines'>,
  problems: Problems,
): Named<Metric> {
  const distinct = problems.distinct('metric', definitions)
  const known: KnownMetrics = {
    cubes,
    timeSpines,
    metrics: new Set(distinct.map(({ shape }) => shape.name)),
  }
  const metrics = byName(
    distinct.flatMap((definition) => {
      const value = metricValue(definition, known, problems)
      const { filters, inputs, numerator, denominator } = definition.shape
      const context = { definition, known, problems }
      checkFilters(context, ['filters'], filters)
      checkFilters(context, ['numerator', 'filters'], numerator?.filters ?? [])
      checkFilters(context, ['denominator', 'filters'], denominator?.filters ?? [])
      for (const [index, input] of inputs.entries()) {
        checkFilters(context, ['inputs', index, 'filters'], input.filters)
      }
      if (cubes[definition.shape.name]) {
        problems.on(definition, ['name'], `there is a cube of the name ${definition.shape.name}`)
      }
      return value ? [toMetric(definition.shape, value)] : []
    }),
  )
  for (const definition of distinct) {
    if (isCircular(definition.shape.name, metrics, [])) {
      problems.on(definition, ['name'], `metric ${quote(definition.shape.name)} refers to itself`)
    }
  }
  return metrics
}

interface FilterContext {
  readonly definition: Defined<MetricShape>
  readonly known: KnownMetrics
  readonly problems: Problems
}

function checkFilters(
  context: FilterContext,
  path: readonly PropertyKey[],
  nodes: readonly FilterNode[],
): void {
  for (const [index, node] of nodes.entries()) checkFilter(context, [...path, index], node)
}

/** Filters of a metric hold for rows: they name dimensions, or metrics per key, and ones that exist. */
function checkFilter(context: FilterContext, path: readonly PropertyKey[], node: FilterNode): void {
  if ('and' in node || 'or' in node) {
    const [key, nodes] = 'and' in node ? (['and', node.and] as const) : (['or', node.or] as const)
    checkFilters(context, [...path, key], nodes)
  } else if ('not' in node) {
    checkFilter(context, [...path, 'not'], node.not)
  } else {
    checkLeaf(context, path, node)
  }
}

function checkLeaf(
  context: FilterContext,
  path: readonly PropertyKey[],
  { dimension, metric, per = [] }: FilterLeaf,
): void {
  if (dimension !== undefined) checkDimension(context, [...path, 'dimension'], dimension)
  for (const key of per) {
    checkDimension(context, [...path, 'per'], key.dimension)
    checkDimension(context, [...path, 'per'], key.matches)
  }
  if (metric !== undefined) checkMetric(context, [...path, 'metric'], metric, per.length > 0)
}

function checkMetric(
  { definition, known, problems }: FilterContext,
  path: readonly PropertyKey[],
  metric: string,
  isPerKey: boolean,
): void {
  if (!isPerKey) problems.on(definition, path, 'a metric in a filter of a metric needs per')
  const [cube = '', measure = ''] = metric.split('.')
  if (known.metrics.has(metric) || known.cubes[cube]?.measures[measure]) return
  problems.unknown(definition, path, ['metric', metric], known.metrics)
}

function checkDimension(
  { definition, known, problems }: FilterContext,
  path: readonly PropertyKey[],
  name: string,
): void {
  if (name === 'metric_time' || name.startsWith('metric_time.')) return
  const found = findDimension(known, name, true)
  if (typeof found !== 'string') return
  problems.on(definition, path, found, suggest(name, dimensionNames(known.cubes)))
}

function toMetric(shape: MetricShape, value: ValueExpression): Metric {
  const { window, grain_to_date: grainToDate, period_aggregate: periodAggregate } = shape
  return {
    name: shape.name,
    type: shape.type,
    title: shape.title ?? titleOf(shape.name),
    description: shape.description ?? '',
    format: shape.format,
    isPublic: shape.public,
    value,
    accumulation:
      shape.type === 'cumulative' ? { window, grainToDate, periodAggregate } : undefined,
    isOnSpine: shape.join_to_time_spine,
    fill: shape.fill_nulls_with,
    defaultGrain: shape.default_grain,
    timeGrain: shape.time_grain,
    filters: shape.filters,
  }
}

function isCircular(name: string, metrics: Named<Metric>, inProgress: readonly string[]): boolean {
  if (inProgress.includes(name)) return true
  return (metrics[name]?.value.parts ?? []).some(
    (each) =>
      typeof each === 'object' &&
      'metric' in each &&
      isCircular(each.metric, metrics, [...inProgress, name]),
  )
}
