import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import { type CubeScope, described, MAX_NESTING, ownName, rowExpression } from './build-members.js'
import type { DimensionShape, MeasureShape } from './definition-schemas.js'
import { nameInText, partOf } from './extend-cubes.js'
import type { Defined, Problems } from './problems.js'
import type { Dimension, Measure, MeasureType } from './project.js'
import { SqlProblem } from './sql-tree.js'
import { parseValueExpression } from './value-expression.js'
import { checkValueType, valueTypeOf } from './value-type.js'

export function buildMeasures(scope: CubeScope, dimensions: readonly Dimension[]): Measure[] {
  const { definition, problems } = scope
  return definition.shape.measures.map((shape, index): Measure => {
    const defined = partOf(definition, ['measures', index], shape)
    checkMeasure(defined, definition.shape.dimensions, problems)
    checkValueType(defined, problems)
    const { sql, filters = [] } = shape
    const isNumber = shape.type === 'number'
    const isPlain = sql !== undefined && !isNumber
    const expression = isPlain ? rowExpression(scope, defined, ['sql'], sql) : undefined
    return {
      ...described(shape, definition.shape.name),
      type: shape.type,
      format: shape.format,
      drillMembers: drillMembers(scope, defined),
      expression,
      value: sql !== undefined && isNumber ? numberValue(scope, defined, sql) : undefined,
      filters: filters.flatMap(
        (filter, at) => rowExpression(scope, defined, ['filters', at, 'sql'], filter.sql) ?? [],
      ),
      percentile: shape.type === 'median' ? 0.5 : shape.percentile,
      valueType: valueTypeOf(shape, expression, dimensions),
      isDiscrete: shape.discrete,
      time: shape.time,
      nonAdditive: shape.non_additive,
    }
  })
}

function numberValue(
  scope: CubeScope,
  defined: Defined<MeasureShape>,
  text: string,
): Measure['value'] {
  const cube = nameInText(scope.definition, defined.shape)
  return scope.problems.parsing(defined, ['sql'], () =>
    parseValueExpression(text, (parts, offset) =>
      referredMeasure(scope, ownName(parts.join('.'), cube), offset, [defined.shape.name]),
    ),
  )
}

function referredMeasure(
  scope: CubeScope,
  name: string,
  offset: number,
  inProgress: readonly string[],
): { cube: string; measure: string } {
  const { measures, name: cube } = scope.definition.shape
  const shape = measures.find((measure) => measure.name === name)
  if (!shape) {
    const known = measures.map((measure) => measure.name)
    throw new SqlProblem(`unknown measure ${quote(name)}`, offset, suggest(name, known))
  }
  if (inProgress.includes(name) || inProgress.length > MAX_NESTING) {
    throw new SqlProblem(`measure ${quote(name)} would refer to itself`, offset)
  }
  if (shape.type === 'number' && shape.sql !== undefined) {
    // Only to find circles: each measure's own value is built where it is defined.
    const inText = nameInText(scope.definition, shape)
    parseValueExpression(shape.sql, (parts) => {
      const inner = ownName(parts.join('.'), inText)
      return measures.some((measure) => measure.name === inner)
        ? referredMeasure(scope, inner, offset, [...inProgress, name])
        : { cube, measure: name }
    })
  }
  return { cube, measure: name }
}

/** Types that aggregate nothing in particular, or must. */
const WITHOUT_SQL: readonly MeasureType[] = ['count']

function checkMeasure(
  defined: Defined<MeasureShape>,
  dimensions: readonly DimensionShape[],
  problems: Problems,
): void {
  const { type, sql, percentile, filters = [] } = defined.shape
  if (sql === undefined && !WITHOUT_SQL.includes(type)) {
    problems.on(defined, ['name'], `a measure of type ${type} needs sql`)
  }
  if ((percentile !== undefined) !== (type === 'percentile')) {
    problems.on(
      defined,
      [percentile === undefined ? 'type' : 'percentile'],
      'percentile, a number between 0 and 1, belongs to measures of type percentile',
    )
  }
  checkTimes(defined, dimensions, problems)
  if (type === 'number' && filters.length > 0) {
    problems.on(
      defined,
      ['filters'],
      'a measure of type number has no filters; give them to the measures it is made of',
    )
  }
}

/** The dimensions that say when, and of whom the first or last counts. */
function checkTimes(
  defined: Defined<MeasureShape>,
  dimensions: readonly DimensionShape[],
  problems: Problems,
): void {
  const { time, non_additive: nonAdditive } = defined.shape
  const named: readonly (readonly [readonly PropertyKey[], string | undefined, boolean])[] = [
    [['time'], time, true],
    [['non_additive', 'time'], nonAdditive?.time, true],
    ...(nonAdditive?.by ?? []).map((by, at) => [['non_additive', 'by', at], by, false] as const),
  ]
  for (const [keys, dimension, isTime] of named) {
    const known = dimensions.filter((each) => !isTime || each.type === 'time')
    if (dimension === undefined || known.some((each) => each.name === dimension)) continue
    const what = isTime ? 'time dimension' : 'dimension'
    problems.unknown(
      defined,
      keys,
      [what, dimension],
      known.map((each) => each.name),
    )
  }
}

/** Full names of the members to look at next; they may be written without their cube. */
function drillMembers(scope: CubeScope, defined: Defined<MeasureShape>): string[] {
  const { name: cube, dimensions, measures } = scope.definition.shape
  const known = [...dimensions, ...measures].map((member) => `${cube}.${member.name}`)
  const inText = nameInText(scope.definition, defined.shape)
  return (defined.shape.drill_members ?? []).map((name, index) => {
    const own = ownName(name, inText)
    const full = own.includes('.') ? own : `${cube}.${own}`
    if (full.startsWith(`${cube}.`) && !known.includes(full)) {
      scope.problems.unknown(defined, ['drill_members', index], ['member', name], known)
    }
    return full
  })
}
