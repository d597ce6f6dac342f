import { suggest } from '@olytix/errors'
import type { DimensionShape } from './definition-schemas.js'
import { parseCubeExpression } from './expression.js'
import { nameInText, partOf, type WholeCube } from './extend-cubes.js'
import { type Defined, type Problems, titleOf } from './problems.js'
import { type Dimension, type Expression, GRANULARITIES, type Segment } from './project.js'
import { SqlProblem } from './sql-tree.js'

/** What the members of a cube are built from. */
export interface CubeScope {
  readonly definition: WholeCube
  readonly columns: readonly string[] | undefined
  readonly problems: Problems
}

/** How often members of a cube may refer to others, one inside the other. */
export const MAX_NESTING = 20

export function buildDimensions(scope: CubeScope): Dimension[] {
  const { definition, problems } = scope
  return definition.shape.dimensions.flatMap((shape, index) => {
    const defined = partOf(definition, ['dimensions', index], shape)
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

/** What all members have. */
export function described(
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
  const cube = nameInText(scope.definition, shape)
  return parseCubeExpression(text, {
    cube,
    columns: scope.columns,
    member: (name, offset) =>
      referredDimension(scope, ownName(name, cube), offset, [...inProgress, shape.name]),
  })
}

/** `cube.name` is `name`, in a text that calls its cube so. */
export function ownName(name: string, cube: string): string {
  return name.startsWith(`${cube}.`) ? name.slice(cube.length + 1) : name
}

function referredDimension(
  scope: CubeScope,
  name: string,
  offset: number,
  inProgress: readonly string[],
): Expression {
  const { dimensions } = scope.definition.shape
  const shape = dimensions.find((dimension) => dimension.name === name)
  if (!shape) {
    const known = dimensions.map((dimension) => dimension.name)
    throw new SqlProblem(`unknown dimension {${name}}`, offset, suggest(name, known))
  }
  if (inProgress.includes(name) || inProgress.length > MAX_NESTING) {
    throw new SqlProblem(`dimension {${name}} would refer to itself`, offset)
  }
  return dimensionExpression(scope, shape, inProgress)
}

/** Of a measure or segment: over the columns and dimensions of its cube. */
export function rowExpression(
  scope: CubeScope,
  defined: Defined<object>,
  keys: readonly PropertyKey[],
  text: string,
): Expression | undefined {
  const cube = nameInText(scope.definition, defined.shape)
  return scope.problems.parsing(defined, keys, () =>
    parseCubeExpression(text, {
      cube,
      columns: scope.columns,
      member: (name, offset) => referredDimension(scope, ownName(name, cube), offset, []),
    }),
  )
}

export function buildSegments(scope: CubeScope): Segment[] {
  const { definition } = scope
  return definition.shape.segments.flatMap((shape, index) => {
    const defined = partOf(definition, ['segments', index], shape)
    const expression = rowExpression(scope, defined, ['sql'], shape.sql)
    return expression ? [{ ...described(shape, definition.shape.name), expression }] : []
  })
}
