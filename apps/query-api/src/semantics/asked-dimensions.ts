import { type DimensionName, findDimension } from '../project/member-names.js'
import { type Cube, GRANULARITIES, type Granularity } from '../project/project.js'
import { quote } from '../project/shape.js'
import { inputsOf, type NamedMetric } from './metric-inputs.js'
import type { Planning } from './plan-query.js'
import type { PlannedDimension } from './query-plan.js'

export const METRIC_TIME = 'metric_time'

/** A dimension by which an answer is grouped. */
export interface AskedDimension {
  /** Where it was asked for: `dimensions[0]`. */
  readonly path: string
  readonly planned: PlannedDimension
  /** The member that it is in a fact about this cube; a text says why there is none. */
  readonly memberFor: (cube: Cube) => DimensionName | string
  /** The cube where its name begins; none for the time axis that all cubes share. */
  readonly start: string | undefined
}

/** The dimensions of a question in their order; of one named twice, the first. Adds the grain of metrics that have one. */
export function resolveDimensions(
  planning: Planning,
  metrics: readonly NamedMetric[],
): AskedDimension[] {
  const { request } = planning
  const asked = [...new Set(request.dimensions)].flatMap((key) => {
    const path = `dimensions[${String(request.dimensions.indexOf(key))}]`
    return resolveDimension(planning, key, path) ?? []
  })
  const hasTime = asked.some(({ planned }) => planned.type === 'time')
  const isComplete = asked.length === new Set(request.dimensions).size
  return hasTime || !isComplete ? asked : [...asked, ...defaultTime(planning, metrics)]
}

/** @returns `undefined` after reporting at `path` why there is no such dimension */
export function resolveDimension(
  planning: Planning,
  key: string,
  path: string,
): AskedDimension | undefined {
  const { project, vocabulary, issues } = planning
  if (key === METRIC_TIME || key.startsWith(`${METRIC_TIME}.`)) return timeAxis(planning, key, path)
  const found = findDimension(project.cubes, key, false)
  if (typeof found === 'string') {
    issues.unknown(path, found, key, vocabulary.dimensions)
    return undefined
  }
  const { dimension, granularity, start } = found
  const { type, title, format } = dimension
  return {
    path,
    planned: { key, type, granularity, title, format },
    memberFor: () => found,
    start,
  }
}

/** `metric_time` is the primary time of whichever cube a measure comes from; by day unless a grain is named. */
function timeAxis(planning: Planning, key: string, path: string): AskedDimension | undefined {
  const { project, request, issues } = planning
  const name = key === METRIC_TIME ? 'day' : key.slice(METRIC_TIME.length + 1)
  const granularity = GRANULARITIES.find((each) => each === name)
  if (!granularity) {
    issues.unknown(path, `unknown granularity ${quote(name)}`, name, () => GRANULARITIES)
    return undefined
  }
  if (request.metrics.length === 0) {
    issues.add(path, `${METRIC_TIME} needs a metric, whose time it is`)
    return undefined
  }
  return {
    path,
    planned: { key, type: 'time', granularity, title: 'Time', format: undefined },
    memberFor: ({ name: cube, primaryTime }) => {
      if (primaryTime === undefined) return `cube ${cube} has no primary time`
      return findDimension(project.cubes, `${cube}.${primaryTime}.${granularity}`, true)
    },
    start: undefined,
  }
}

/** What metrics with a `time_grain` are grouped by when no time is asked for; the coarsest of several. */
function defaultTime(planning: Planning, metrics: readonly NamedMetric[]): AskedDimension[] {
  const grains = metrics.flatMap(({ timeGrain }) => timeGrain ?? [])
  const grain = grains.reduce<Granularity | undefined>(
    (coarsest, each) =>
      coarsest && GRANULARITIES.indexOf(coarsest) > GRANULARITIES.indexOf(each) ? coarsest : each,
    undefined,
  )
  if (!grain) return []
  const cubes = new Set(
    metrics.flatMap(({ value }) => inputsOf(value).map(({ measure }) => measure.cube)),
  )
  const [only, ...others] = cubes
  const time = planning.project.cubes[only ?? '']?.primaryTime
  if (others.length > 0)
    return [resolveDimension(planning, `${METRIC_TIME}.${grain}`, 'metrics') ?? []].flat()
  if (only === undefined || time === undefined) {
    planning.issues.add('metrics', `${only ?? ''} has no primary time for the metric's time_grain`)
    return []
  }
  return [resolveDimension(planning, `${only}.${time}.${grain}`, 'metrics') ?? []].flat()
}
