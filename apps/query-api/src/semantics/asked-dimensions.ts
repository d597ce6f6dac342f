import { quote } from '@olytix/config/yaml'
import {
  type DimensionName,
  findDimension,
  NO_SUFFIX,
  readSuffix,
  type TimeSuffix,
} from '../project/member-names.js'
import { type Cube, GRANULARITIES, type Granularity } from '../project/project.js'
import { anchorOf, findMetric, inputsOf, type NamedMetric } from './metric-inputs.js'
import type { Planning } from './plan-query.js'
import type { PlannedDimension } from './query-plan.js'

export const METRIC_TIME = 'metric_time'

/** Where a fact's rows come from, and which of their times puts them on the time axis. */
export interface Place {
  readonly cube: Cube
  readonly time: string | undefined
}

/** A dimension by which an answer is grouped. */
export interface AskedDimension {
  /** Where it was asked for: `dimensions[0]`. */
  readonly path: string
  readonly planned: PlannedDimension
  readonly suffix: TimeSuffix
  /** The member that it is in a fact; a text says why there is none. */
  readonly memberFor: (place: Place) => DimensionName | string
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
    return resolveDimension(planning, key, path, 'group') ?? []
  })
  const hasTime = asked.some(({ planned, suffix }) => planned.type === 'time' || suffix.datePart)
  const isComplete = asked.length === new Set(request.dimensions).size
  return hasTime || !isComplete ? asked : [...asked, ...defaultTime(planning, metrics)]
}

/**
 * @param use what plain `metric_time` is: periods when it groups, the time itself when it is compared
 * @returns `undefined` after reporting at `path` why there is no such dimension
 */
export function resolveDimension(
  planning: Planning,
  key: string,
  path: string,
  use: 'group' | 'compare' = 'compare',
): AskedDimension | undefined {
  const { project, vocabulary, issues, seesPrivate } = planning
  if (isTimeAxis(key)) return timeAxis(planning, key, path, use)
  const found = findDimension(project, key, seesPrivate)
  if (typeof found === 'string') {
    issues.unknown(path, found, key, vocabulary.dimensions)
    return undefined
  }
  const { dimension, granularity, datePart, calendar, start } = found
  const { title, format } = dimension
  const type = datePart ? 'number' : dimension.type
  return {
    path,
    planned: { key, type, granularity, title, format },
    suffix: { granularity, datePart, calendar },
    memberFor: () => found,
    start,
  }
}

export function isTimeAxis(key: string): boolean {
  return key === METRIC_TIME || key.startsWith(`${METRIC_TIME}.`)
}

/** `metric_time` is for each measure the time that puts it on the time axis. */
function timeAxis(
  planning: Planning,
  key: string,
  path: string,
  use: 'group' | 'compare',
): AskedDimension | undefined {
  const { project, request, issues } = planning
  const name = key.slice(METRIC_TIME.length + 1)
  const suffix =
    name === '' ? plainAxis(planning, use) : readSuffix(name, GRANULARITIES, project.timeSpines)
  if (!suffix) {
    issues.unknown(path, `unknown granularity ${quote(name)}`, name, () => GRANULARITIES)
    return undefined
  }
  if (request.metrics.length === 0 && project.timeSpines.length === 0) {
    issues.add(path, `${METRIC_TIME} needs a metric, whose time it is`)
    return undefined
  }
  const type = suffix.datePart ? 'number' : 'time'
  return {
    path,
    planned: { key, type, granularity: suffix.granularity, title: 'Time', format: undefined },
    suffix,
    memberFor: ({ cube, time }) => {
      if (time === undefined) return `cube ${cube.name} has no primary time`
      const written = name === '' ? (suffix.granularity ?? '') : name
      return findDimension(project, [cube.name, time, written].filter(Boolean).join('.'), true)
    },
    start: undefined,
  }
}

/** The coarsest default grain of the metrics: their own, or else the grain of their time but never finer than days. */
function plainAxis({ project, request }: Planning, use: 'group' | 'compare'): TimeSuffix {
  if (use === 'compare') return NO_SUFFIX
  const grains = request.metrics.flatMap((key): Granularity[] => {
    const metric = findMetric(project, key, true)
    const own = metric?.defaultGrain ?? metric?.timeGrain
    if (!metric || own) return own ? [own] : []
    return inputsOf(metric.value).map((input) =>
      storedGrain(placeOf(project.cubes, anchorOf(input))),
    )
  })
  return { ...NO_SUFFIX, granularity: grains.length > 0 ? coarsest(grains) : 'day' }
}

/** The grain of a place's time, but never finer than days. */
export function storedGrain(place: Place | undefined): Granularity {
  const [finest = 'day'] = place?.cube.dimensions[place.time ?? '']?.granularities ?? []
  return coarsest(['day', finest])
}

export function placeOf(
  cubes: Readonly<Record<string, Cube>>,
  { cube: name, time }: { readonly cube: string; readonly time: string | undefined },
): Place | undefined {
  const cube = cubes[name]
  return cube && { cube, time: time ?? cube.primaryTime }
}

export function coarsest(grains: readonly Granularity[]): Granularity {
  return grains.reduce((a, b) => (GRANULARITIES.indexOf(a) > GRANULARITIES.indexOf(b) ? a : b))
}

export function finest(grains: readonly Granularity[]): Granularity {
  return grains.reduce((a, b) => (GRANULARITIES.indexOf(a) < GRANULARITIES.indexOf(b) ? a : b))
}

/** What metrics with a `time_grain` are grouped by when no time is asked for; the coarsest of several. */
function defaultTime(planning: Planning, metrics: readonly NamedMetric[]): AskedDimension[] {
  const grains = metrics.flatMap(({ timeGrain }) => timeGrain ?? [])
  if (grains.length === 0) return []
  const grain = coarsest(grains)
  const places = metrics.flatMap(({ value }) => inputsOf(value).map(anchorOf))
  const times = new Set(
    places.map((anchor) => {
      const place = placeOf(planning.project.cubes, anchor)
      return place?.time === undefined ? `${anchor.cube}.` : `${anchor.cube}.${place.time}`
    }),
  )
  const [only = '', ...others] = times
  if (others.length === 0 && only.endsWith('.')) {
    const message = `${only.slice(0, -1)} has no primary time for the metric's time_grain`
    planning.issues.add('metrics', message)
    return []
  }
  const name = others.length > 0 ? METRIC_TIME : only
  return [resolveDimension(planning, `${name}.${grain}`, 'metrics', 'group') ?? []].flat()
}
