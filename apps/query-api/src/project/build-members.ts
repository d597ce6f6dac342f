import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { CubeShape, DimensionShape, MeasureShape } from './definition-schemas.js'
import { parseCubeExpression } from './expression.js'
import { type Defined, part, type Problems, titleOf } from './problems.js'
import {
  type Dimension,
  type Expression,
  GRANULARITIES,
  type Measure,
  type MeasureType,
  type Segment,
} from './project.js'
import { SqlProblem } from './sql-tree.js'
import { parseValueExpression } from './value-expression.js'
import { checkValueType, valueTypeOf } from './value-type.js'

/** What the members of a cube are built from. */
export interface CubeScope {
  readonly definition: Defined<CubeShape>
  readonly columns: readonly string[] | undefined
  readonly problems: Problems
}

const MAX_NESTING = 20

export function buildDimensions(scope: CubeScope): Dimension[] {
  const { definition, problems } = scope
  return definition.shape.dimensions.flatMap((shape, index) => {
    const defined = part(definition, ['dimensions', index], shape)
    const expression = problems.parsing(defined, [shape.sql === undefined ? 'name' : 'sql'], () =>
      dimensionExpression(scope, shape, []),
    )
    if (shape.granularities && shape.type !== 'time') {
      problems.on(defined, ['granularities'], 'only a dimension of type time has granularities')
    }
    return expression ? [toDimension(scope, shape, expression)] : []
  })
}

function toDimension(
  { definition }: CubeScope,
  shape: DimensionShape,
  expression: Expression,
): Dimension {
  const allowed = shape.granularities ?? GRANULARITIES
  return {
    ...described(shape, definition.shape.name),
    type: shape.type,
    expression,
    format: shape.format,
    isPrimaryKey: shape.primary_key,
    isPartition: shape.partition,
    granularities: shape.type === 'time' ? GRANULARITIES.filter((g) => allowed.includes(g)) : [],
  }
}

function described(
  shape: {
    name: string
    title?: string | undefined
    description?: string | undefined
    public: boolean
  },
  cube: string,
): Pick<Dimension, 'name' | 'cube' | 'title' | 'description' | 'isPublic'> {
  return {
    name: shape.name,
    cube,
    title: shape.title ?? titleOf(shape.name),
    description: shape.description ?? '',
    isPublic: shape.public,
  }
}

/** A dimension without `sql` is the column of its name. */
function dimensionExpression(
  scope: CubeScope,
  shape: DimensionShape,
  inProgress: readonly string[],
): Expression {
  const text = shape.sql ?? `{CUBE}."${shape.name}"`
  return parseCubeExpression(text, {
    cube: scope.definition.shape.name,
    columns: scope.columns,
    member: (name, offset) => referredDimension(scope, name, offset, [...inProgress, shape.name]),
  })
}

function referredDimension(
  scope: CubeScope,
  name: string,
  offset: number,
  inProgress: readonly string[],
): Expression {
  const { dimensions, name: cube } = scope.definition.shape
  const own = name.startsWith(`${cube}.`) ? name.slice(cube.length + 1) : name
  const shape = dimensions.find((dimension) => dimension.name === own)
  if (!shape) {
    const known = dimensions.map((dimension) => dimension.name)
    throw new SqlProblem(`unknown dimension {${name}}`, offset, suggest(own, known))
  }
  if (inProgress.includes(own) || inProgress.length > MAX_NESTING) {
    throw new SqlProblem(`dimension {${name}} would refer to itself`, offset)
  }
  return dimensionExpression(scope, shape, inProgress)
}

/** Of a measure or segment: over the columns and dimensions of its cube. */
function rowExpression(
  scope: CubeScope,
  defined: Defined<unknown>,
  keys: readonly PropertyKey[],
  text: string,
): Expression | undefined {
  return scope.problems.parsing(defined, keys, () =>
    parseCubeExpression(text, {
      cube: scope.definition.shape.name,
      columns: scope.columns,
      member: (name, offset) => referredDimension(scope, name, offset, []),
    }),
  )
}

export function buildSegments(scope: CubeScope): Segment[] {
  const { definition } = scope
  return definition.shape.segments.flatMap((shape, index) => {
    const defined = part(definition, ['segments', index], shape)
    const expression = rowExpression(scope, defined, ['sql'], shape.sql)
    return expression ? [{ ...described(shape, definition.shape.name), expression }] : []
  })
}

export function buildMeasures(scope: CubeScope, dimensions: readonly Dimension[]): Measure[] {
  const { definition, problems } = scope
  return definition.shape.measures.map((shape, index): Measure => {
    const defined = part(definition, ['measures', index], shape)
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
  return scope.problems.parsing(defined, ['sql'], () =>
    parseValueExpression(text, (parts, offset) =>
      referredMeasure(scope, parts, offset, [defined.shape.name]),
    ),
  )
}

function referredMeasure(
  scope: CubeScope,
  parts: readonly string[],
  offset: number,
  inProgress: readonly string[],
): { cube: string; measure: string } {
  const { measures, name: cube } = scope.definition.shape
  const name = parts.length === 2 && parts[0] === cube ? (parts[1] ?? '') : parts.join('.')
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
    parseValueExpression(shape.sql, (inner) =>
      measures.some((measure) => measure.name === inner.at(-1))
        ? referredMeasure(scope, inner, offset, [...inProgress, name])
        : { cube, measure: name },
    )
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
  return (defined.shape.drill_members ?? []).map((name, index) => {
    const full = name.includes('.') ? name : `${cube}.${name}`
    if (full.startsWith(`${cube}.`) && !known.includes(full)) {
      scope.problems.unknown(defined, ['drill_members', index], ['member', name], known)
    }
    return full
  })
}
