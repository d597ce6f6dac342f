import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { MetricShape } from './definition-schemas.js'
import { type Defined, part, type Problems } from './problems.js'
import type { Named } from './named.js'
import type {
  ConversionPair,
  Cube,
  MeasureRef,
  MetricRef,
  RefChange,
  TimeSpine,
  ValueExpression,
} from './project.js'
import { SqlProblem } from './sql-tree.js'
import { filled, parseValueExpression, ratioOf } from './value-expression.js'

/** What the expressions of metrics may refer to. */
export interface KnownMetrics {
  readonly cubes: Named<Cube>
  readonly timeSpines: readonly TimeSpine[]
  readonly metrics: ReadonlySet<string>
}

type Context = {
  readonly definition: Defined<MetricShape>
  readonly known: KnownMetrics
  readonly problems: Problems
}

/** Which keys belong to which type of metric; all others belong to every type. */
const KEYS = {
  simple: ['expression', 'join_to_time_spine'],
  derived: ['expression', 'inputs'],
  ratio: ['numerator', 'denominator'],
  cumulative: ['expression', 'window', 'grain_to_date', 'join_to_time_spine'],
  conversion: ['base', 'conversion', 'entity', 'window', 'constant_properties'],
} as const

/** What a metric is computed from, as arithmetic over measures and other metrics. */
export function metricValue(
  definition: Defined<MetricShape>,
  known: KnownMetrics,
  problems: Problems,
): ValueExpression | undefined {
  const context: Context = { definition, known, problems }
  const { shape } = definition
  checkKeys(context)
  if (shape.type === 'ratio') return ratioValue(context)
  if (shape.type === 'conversion') return conversionValue(context)
  if (shape.expression === undefined) {
    problems.on(definition, ['type'], `a ${shape.type} metric needs expression`)
    return undefined
  }
  const value = parsed(context, [], shape.expression)
  if (value && shape.type !== 'derived' && !isOneMeasure(value)) {
    const message = `a ${shape.type} metric is one measure, cube.measure`
    problems.on(definition, ['expression'], message, 'type: derived')
  }
  if (shape.window && shape.grain_to_date) {
    problems.on(definition, ['window'], 'window and grain_to_date exclude each other')
  }
  return value
}

function checkKeys({ definition, problems }: Context): void {
  const { shape } = definition
  const own: readonly string[] = KEYS[shape.type]
  for (const key of new Set(Object.values(KEYS).flat())) {
    const value = shape[key]
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
    if (isGiven && !own.includes(key)) {
      problems.on(definition, [key], `${key} does not belong to a ${shape.type} metric`)
    }
  }
}

function ratioValue(context: Context): ValueExpression | undefined {
  const { numerator, denominator } = context.definition.shape
  if (!numerator || !denominator) {
    context.problems.on(context.definition, ['type'], 'a ratio needs numerator and denominator')
    return undefined
  }
  const above = parsed(context, ['numerator'], numerator.expression, numerator)
  const below = parsed(context, ['denominator'], denominator.expression, denominator)
  return above && below && ratioOf(above, below)
}

function conversionValue(context: Context): ValueExpression | undefined {
  const { definition, known, problems } = context
  const { base, conversion, entity, constant_properties: same, calculation } = definition.shape
  if (!base || !conversion || !entity) {
    problems.on(definition, ['type'], 'a conversion needs base, conversion and entity')
    return undefined
  }
  const below = measureOf(context, ['base'], base.expression)
  const above = measureOf(context, ['conversion'], conversion.expression)
  if (!below || !above) return undefined
  const pairs = [entity, ...same]
  for (const each of pairs)
    checkPair(context, each, known.cubes[below.cube], known.cubes[above.cube])
  const ref = {
    conversion: { base: below, measure: above, pairs, window: definition.shape.window },
    isOnSpine: conversion.join_to_time_spine,
  }
  const conversions = filled({ parts: [ref] }, conversion.fill_nulls_with)
  if (calculation === 'conversions') return conversions
  const bases = { parts: [{ ...below, isOnSpine: base.join_to_time_spine }] }
  return ratioOf(conversions, filled(bases, base.fill_nulls_with))
}

function checkPair(
  { definition, problems }: Context,
  pair: ConversionPair,
  base: Cube | undefined,
  conversion: Cube | undefined,
): void {
  for (const [cube, name] of [
    [base, pair.base],
    [conversion, pair.conversion],
  ] as const) {
    if (!cube || cube.dimensions[name]) continue
    const what = `dimension of ${cube.name}`
    problems.unknown(definition, ['entity'], [what, name], Object.keys(cube.dimensions))
  }
}

function measureOf(
  context: Context,
  at: readonly PropertyKey[],
  expression: string,
): { readonly cube: string; readonly measure: string } | undefined {
  const value = parsed(context, at, expression)
  const [first] = value?.parts ?? []
  if (value?.parts.length === 1 && typeof first === 'object' && 'measure' in first) return first
  if (value) context.problems.on(context.definition, [...at, 'expression'], 'expected cube.measure')
  return undefined
}

function isOneMeasure({ parts }: ValueExpression): boolean {
  const [first] = parts
  return parts.length === 1 && typeof first === 'object' && 'measure' in first
}

function parsed(
  { definition, known, problems }: Context,
  at: readonly PropertyKey[],
  expression: string,
  change: RefChange = {},
): ValueExpression | undefined {
  const defined = part(definition, at, { expression })
  return problems.parsing(defined, ['expression'], () =>
    parseValueExpression(expression, (parts, offset) => {
      const [first = '', ...others] = parts
      const input = definition.shape.inputs.find(
        ({ name }) => name === first && others.length === 0,
      )
      if (!input) return { ...resolve(parts, offset, known), ...nonEmpty(change) }
      const shift = input.offset
        ? { back: input.offset }
        : input.offset_to_grain && { toGrain: input.offset_to_grain }
      const ref = resolve(input.expression.trim().split('.'), offset, known)
      return { ...ref, ...nonEmpty({ shift, filters: input.filters }) }
    }),
  )
}

function nonEmpty({ shift, filters = [] }: RefChange): RefChange {
  return { ...(shift ? { shift } : {}), ...(filters.length > 0 ? { filters } : {}) }
}

function resolve(
  parts: readonly string[],
  offset: number,
  known: KnownMetrics,
): MeasureRef | MetricRef {
  const [first = '', ...rest] = parts
  if (rest.length > 0 && (first === 'prior' || first === 'current')) {
    const ref = resolve(rest, offset, known)
    return first === 'prior' ? { ...ref, shift: 'prior' } : ref
  }
  const ref = named(parts, known)
  if (ref) return ref
  const name = parts.join('.')
  const measures = Object.values(known.cubes).flatMap((cube) =>
    Object.keys(cube.measures).map((measure) => `${cube.name}.${measure}`),
  )
  throw new SqlProblem(
    `unknown metric or measure ${quote(name)}`,
    offset,
    suggest(name, [...known.metrics, ...measures]),
  )
}

function named(
  [first = '', second, ...others]: readonly string[],
  { cubes, metrics }: KnownMetrics,
): MeasureRef | MetricRef | undefined {
  if (second === undefined) return metrics.has(first) ? { metric: first } : undefined
  const isThere = others.length === 0 && cubes[first]?.measures[second] !== undefined
  return isThere ? { cube: first, measure: second } : undefined
}
