import type { FilterNode } from '../project/filter-shape.js'
import type {
  Accumulation,
  ConversionPair,
  ConversionRef,
  DimensionType,
  Granularity,
  Interval,
  Measure,
  MeasureRef,
  MetricRef,
  Project,
  Shift,
  ValueExpression,
} from '../project/project.js'

/** Rows of the measure are credited to the latest row of the base before them. */
export interface InputConversion {
  readonly base: Measure
  readonly pairs: readonly ConversionPair[]
  readonly window: Interval | undefined
}

/** A measure with all that the metrics which use it say about it. */
export interface MetricInput {
  readonly measure: Measure
  readonly filters: readonly FilterNode[]
  /** Outermost first. */
  readonly shifts: readonly Shift[]
  readonly accumulation: Accumulation | undefined
  readonly isOnSpine: boolean
  /** A metric above says what stands for null. */
  readonly hasFill?: boolean
  readonly conversion: InputConversion | undefined
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
  readonly timeGrain: Granularity | undefined
  readonly defaultGrain: Granularity | undefined
}

/** What metrics above say about what is below them. */
type Context = Omit<MetricInput, 'measure' | 'conversion'>

const PLAIN: Context = { filters: [], shifts: [], accumulation: undefined, isOnSpine: false }

/**
 * Looks up `metric` or `cube.measure`. Filters and offsets of a metric reach everything below it.
 * @param seesPrivate whether what is not public exists for the one who asks
 */
export function findMetric(
  project: Project,
  key: string,
  seesPrivate: boolean,
): NamedMetric | undefined {
  const metric = project.metrics[key]
  if (metric && (metric.isPublic || seesPrivate)) {
    const { title, format, timeGrain, defaultGrain } = metric
    const value = { parts: expandMetric(project, { metric: key }, PLAIN) }
    return { key, title, format, timeGrain, defaultGrain, value }
  }
  const measure = findMeasure(project, key, seesPrivate)
  if (!measure) return undefined
  const { title, format } = measure
  const value = { parts: expandMeasure(project, measure, PLAIN) }
  return { key, title, format, timeGrain: undefined, defaultGrain: undefined, value }
}

function findMeasure(project: Project, key: string, seesPrivate: boolean): Measure | undefined {
  const [cubeName = '', name = '', ...others] = key.split('.')
  const cube = project.cubes[cubeName]
  const measure = cube?.measures[name]
  if (!measure || others.length > 0) return undefined
  return seesPrivate || (cube.isPublic && measure.isPublic) ? measure : undefined
}

type Parts = MetricValue['parts']

function expand(project: Project, { parts }: ValueExpression, context: Context): Parts {
  return parts.flatMap((part): Parts => {
    if (typeof part === 'string') return [part]
    if ('conversion' in part) return expandConversion(project, part, context)
    const inner = changed(context, part)
    if ('metric' in part) return wrapped(expandMetric(project, part, inner))
    const measure = project.cubes[part.cube]?.measures[part.measure]
    return measure ? expandMeasure(project, measure, inner) : []
  })
}

function changed(context: Context, ref: MeasureRef | MetricRef): Context {
  return {
    ...context,
    filters: [...context.filters, ...(ref.filters ?? [])],
    shifts: ref.shift ? [...context.shifts, ref.shift] : context.shifts,
    isOnSpine: context.isOnSpine || ('isOnSpine' in ref && ref.isOnSpine === true),
  }
}

function expandMetric(project: Project, ref: MetricRef, context: Context): Parts {
  const metric = project.metrics[ref.metric]
  if (!metric) return []
  const parts = expand(project, metric.value, {
    filters: [...context.filters, ...metric.filters],
    shifts: context.shifts,
    accumulation: metric.accumulation ?? context.accumulation,
    isOnSpine: metric.isOnSpine || context.isOnSpine,
    ...(metric.fill === undefined && !context.hasFill ? {} : { hasFill: true }),
  })
  return filledParts(parts, metric.fill)
}

function filledParts(parts: Parts, fill: number | undefined): Parts {
  return fill === undefined ? parts : ['coalesce(', ...parts, `, ${String(fill)})`]
}

function expandMeasure(project: Project, measure: Measure, context: Context): Parts {
  if (!measure.value) return [{ measure, conversion: undefined, ...context }]
  return wrapped(expand(project, measure.value, context))
}

function expandConversion(
  project: Project,
  { conversion, isOnSpine }: ConversionRef,
  context: Context,
): Parts {
  const measure = project.cubes[conversion.measure.cube]?.measures[conversion.measure.measure]
  const base = project.cubes[conversion.base.cube]?.measures[conversion.base.measure]
  if (!measure || !base) return []
  const { pairs, window } = conversion
  return [{ ...context, measure, isOnSpine, conversion: { base, pairs, window } }]
}

function wrapped(parts: Parts): Parts {
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

/** The measure that puts an input on the time axis, and gives it its dimensions. */
export function anchorOf({ measure, conversion }: MetricInput): Measure {
  return conversion?.base ?? measure
}

/** Whether an input needs a fact of its own: it is not simply an aggregate of rows of its group. */
export function isSpecial(input: MetricInput): boolean {
  const { shifts, accumulation, isOnSpine, conversion, measure } = input
  return (
    shifts.length > 0 ||
    accumulation !== undefined ||
    isOnSpine ||
    conversion !== undefined ||
    measure.nonAdditive !== undefined
  )
}
