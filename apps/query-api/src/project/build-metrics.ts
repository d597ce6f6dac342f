import { suggest } from '@olytix/errors'
import type { MetricShape } from './definition-schemas.js'
import type { FilterNode } from './filter-shape.js'
import { dimensionNames, findDimension } from './member-names.js'
import { type Defined, part, type Problems, titleOf } from './problems.js'
import {
  byName,
  type Cube,
  type MeasureRef,
  type Metric,
  type MetricRef,
  type Named,
  type ValueExpression,
} from './project.js'
import { quote } from './shape.js'
import { SqlProblem } from './sql-tree.js'
import { parseValueExpression, ratioOf } from './value-expression.js'

type Known = {
  readonly cubes: Named<Cube>
  readonly metrics: ReadonlySet<string>
}

/** Metrics by name. A circle of metrics is a problem. */
export function buildMetrics(
  definitions: readonly Defined<MetricShape>[],
  cubes: Named<Cube>,
  problems: Problems,
): Named<Metric> {
  const distinct = problems.distinct('metric', definitions)
  const known: Known = { cubes, metrics: new Set(distinct.map(({ shape }) => shape.name)) }
  const metrics = byName(
    distinct.flatMap((definition) => {
      const value = valueOf(definition, known, problems)
      for (const [index, node] of definition.shape.filters.entries()) {
        checkFilter({ definition, cubes, problems }, ['filters', index], node)
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

/** Filters of a metric hold for rows: they name dimensions, and ones that exist. */
function checkFilter(
  context: { definition: Defined<MetricShape>; cubes: Named<Cube>; problems: Problems },
  path: readonly PropertyKey[],
  node: FilterNode,
): void {
  const { definition, cubes, problems } = context
  if ('and' in node || 'or' in node) {
    const [key, nodes] = 'and' in node ? (['and', node.and] as const) : (['or', node.or] as const)
    for (const [index, each] of nodes.entries()) checkFilter(context, [...path, key, index], each)
  } else if ('not' in node) {
    checkFilter(context, [...path, 'not'], node.not)
  } else if (node.dimension === undefined) {
    problems.on(definition, [...path, 'metric'], 'a metric is filtered by dimensions only')
  } else {
    const found = findDimension(cubes, node.dimension, true)
    if (typeof found !== 'string') return
    const near = suggest(node.dimension, dimensionNames(cubes))
    problems.on(definition, [...path, 'dimension'], found, near)
  }
}

function toMetric(shape: MetricShape, value: ValueExpression): Metric {
  return {
    name: shape.name,
    type: shape.type,
    title: shape.title ?? titleOf(shape.name),
    description: shape.description ?? '',
    format: shape.format,
    isPublic: shape.public,
    value,
    timeGrain: shape.time_grain,
    filters: shape.filters,
  }
}

function valueOf(
  definition: Defined<MetricShape>,
  known: Known,
  problems: Problems,
): ValueExpression | undefined {
  const { type, expression, numerator, denominator } = definition.shape
  if (type === 'ratio') return ratioValue(definition, known, problems)
  if (expression === undefined || numerator || denominator) {
    problems.on(definition, ['type'], `a ${type} metric needs expression, no numerator`)
    return undefined
  }
  const value = parsed(part(definition, [], { expression }), known, problems)
  if (value && type === 'simple' && !isOneMeasure(value)) {
    const message = 'a simple metric is one measure, cube.measure'
    problems.on(definition, ['expression'], message, 'type: derived')
  }
  return value
}

function ratioValue(
  definition: Defined<MetricShape>,
  known: Known,
  problems: Problems,
): ValueExpression | undefined {
  const { expression, numerator, denominator } = definition.shape
  if (!numerator || !denominator || expression !== undefined) {
    problems.on(definition, ['type'], 'a ratio needs numerator and denominator, no expression')
    return undefined
  }
  const above = parsed(part(definition, ['numerator'], numerator), known, problems)
  const below = parsed(part(definition, ['denominator'], denominator), known, problems)
  return above && below && ratioOf(above, below)
}

function isOneMeasure({ parts }: ValueExpression): boolean {
  const [first] = parts
  return parts.length === 1 && typeof first === 'object' && 'measure' in first
}

function parsed(
  definition: Defined<{ readonly expression: string }>,
  known: Known,
  problems: Problems,
): ValueExpression | undefined {
  return problems.parsing(definition, ['expression'], () =>
    parseValueExpression(definition.shape.expression, (parts, offset) =>
      resolve(parts, offset, known),
    ),
  )
}

function resolve(
  parts: readonly string[],
  offset: number,
  { cubes, metrics }: Known,
): MeasureRef | MetricRef {
  const [first = '', second] = parts
  if (parts.length === 1 && metrics.has(first)) return { metric: first }
  if (parts.length === 2 && second !== undefined && cubes[first]?.measures[second]) {
    return { cube: first, measure: second }
  }
  const name = parts.join('.')
  const measures = Object.values(cubes).flatMap((cube) =>
    Object.keys(cube.measures).map((measure) => `${cube.name}.${measure}`),
  )
  throw new SqlProblem(
    `unknown metric or measure ${quote(name)}`,
    offset,
    suggest(name, [...metrics, ...measures]),
  )
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
