import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import { buildDimensions, buildMeasures, buildSegments, type CubeScope } from './build-members.js'
import type { CubeShape, JoinShape } from './definition-schemas.js'
import { parseCubeExpression } from './expression.js'
import { type Defined, part, type Problems, titleOf } from './problems.js'
import { byName, type Cube, type Join, type Model, type Named, type Relation } from './project.js'
import { parseRelation, type Readable, tableRelation } from './select.js'
import { SqlProblem } from './sql-tree.js'

const RESERVED = ['metric_time', 'CUBE', 'current', 'prior']

/** Cubes by name. Those with problems are left out of the result, which is used only when there are none. */
export function buildCubes(
  definitions: readonly Defined<CubeShape>[],
  readable: Readable,
  models: Named<Model>,
  problems: Problems,
): Named<Cube> {
  const distinct = problems.distinct('cube', definitions)
  const relations = new Map<string, Relation>()
  for (const definition of distinct) {
    const relation = relationOf(definition, readable, models, problems)
    if (relation) relations.set(definition.shape.name, relation)
    if (RESERVED.includes(definition.shape.name)) {
      problems.on(definition, ['name'], `${quote(definition.shape.name)} is a reserved name`)
    }
  }
  const names = distinct.map(({ shape }) => shape.name)
  return byName(
    distinct.flatMap((definition) => {
      const relation = relations.get(definition.shape.name)
      const joins = buildJoins(definition, { names, relations }, problems)
      return relation ? [buildCube(definition, relation, joins, problems)] : []
    }),
  )
}

function buildCube(
  definition: Defined<CubeShape>,
  relation: Relation,
  joins: readonly Join[],
  problems: Problems,
): Cube {
  const { shape } = definition
  const scope: CubeScope = { definition, columns: relation.columns, problems }
  checkMemberNames(definition, problems)
  const dimensions = buildDimensions(scope)
  return {
    name: shape.name,
    title: shape.title ?? titleOf(shape.name),
    description: shape.description ?? '',
    isPublic: shape.public,
    relation,
    dimensions: byName(dimensions),
    measures: byName(buildMeasures(scope, dimensions)),
    segments: byName(buildSegments(scope)),
    joins: byName(joins),
    primaryTime: primaryTime(definition, problems),
    refreshMs: shape.refresh_key?.every,
  }
}

function relationOf(
  definition: Defined<CubeShape>,
  readable: Readable,
  models: Named<Model>,
  problems: Problems,
): Relation | undefined {
  const { sql, sql_table: table, model } = definition.shape
  const given = [sql, table, model].filter((each) => each !== undefined)
  if (given.length !== 1) {
    problems.on(definition, ['name'], 'a cube needs exactly one of sql, sql_table and model')
    return undefined
  }
  if (sql !== undefined) {
    return problems.parsing(definition, ['sql'], () => parseRelation(sql, readable))
  }
  if (table !== undefined) {
    return problems.parsing(definition, ['sql_table'], () => {
      const [qualifier = '', name, ...others] = table.split('.')
      if (name === undefined || others.length > 0) {
        throw new SqlProblem(
          `expected source.table`,
          0,
          suggest(table, readable.tableNames) ?? readable.tableNames[0],
        )
      }
      return tableRelation(qualifier, name, readable, 0)
    })
  }
  const found = models[model ?? '']
  if (!found) problems.unknown(definition, ['model'], ['model', model ?? ''], Object.keys(models))
  return found?.relation
}

/** Members of a cube share one space of names; a join must not be mistaken for a dimension in `cube.join.dimension`. */
function checkMemberNames(definition: Defined<CubeShape>, problems: Problems): void {
  const { dimensions, measures, segments, joins } = definition.shape
  const members = Object.entries({ dimensions, measures, segments }).flatMap(([kind, all]) =>
    all.map(({ name }, index) => part(definition, [kind, index], { name })),
  )
  problems.distinct('member', members)
  const named = joins.map(({ name }, index) => part(definition, ['joins', index], { name }))
  for (const join of problems.distinct('join', named)) {
    if (dimensions.some(({ name }) => name === join.shape.name)) {
      problems.on(join, ['name'], `there is a dimension of the name ${quote(join.shape.name)}`)
    }
  }
}

function primaryTime(definition: Defined<CubeShape>, problems: Problems): string | undefined {
  const times = definition.shape.dimensions.filter(({ type }) => type === 'time')
  const marked = definition.shape.dimensions.filter((each) => each.primary_time)
  for (const each of marked) {
    const index = definition.shape.dimensions.indexOf(each)
    const at = ['dimensions', index, 'primary_time']
    if (each.type !== 'time') problems.on(definition, at, 'only a dimension of type time can be it')
    if (each !== marked[0]) problems.on(definition, at, 'a cube has one primary time')
  }
  return (marked[0] ?? (times.length === 1 ? times[0] : undefined))?.name
}

function buildJoins(
  definition: Defined<CubeShape>,
  cubes: { readonly names: readonly string[]; readonly relations: ReadonlyMap<string, Relation> },
  problems: Problems,
): Join[] {
  return definition.shape.joins.flatMap((shape, index) => {
    const target = shape.cube ?? shape.name
    const defined = part(definition, ['joins', index], shape)
    if (!cubes.names.includes(target)) {
      const key = shape.cube === undefined ? 'name' : 'cube'
      problems.unknown(defined, [key], ['cube', target], cubes.names)
      return []
    }
    return buildJoin(defined, target, definition.shape.name, { cubes: cubes.relations, problems })
  })
}

function buildJoin(
  defined: Defined<JoinShape>,
  target: string,
  cube: string,
  context: { readonly cubes: ReadonlyMap<string, Relation>; readonly problems: Problems },
): Join[] {
  const { shape } = defined
  const on = context.problems.parsing(defined, ['sql'], () =>
    parseCubeExpression(shape.sql, {
      cube,
      columns: context.cubes.get(cube)?.columns,
      join: { name: shape.name, columns: context.cubes.get(target)?.columns },
    }),
  )
  const validity = validityOf(defined, target, context)
  return on
    ? [{ name: shape.name, cube: target, relationship: shape.relationship, on, validity }]
    : []
}

/** Both ends are SQL over the table with history; an end that is null is open. */
function validityOf(
  defined: Defined<JoinShape>,
  target: string,
  {
    cubes,
    problems,
  }: { readonly cubes: ReadonlyMap<string, Relation>; readonly problems: Problems },
): Join['validity'] {
  const { valid_from: from, valid_to: to } = defined.shape
  if (from === undefined && to === undefined) return undefined
  if (from === undefined || to === undefined) {
    problems.on(defined, ['name'], 'a validity has both ends, valid_from and valid_to')
    return undefined
  }
  const parse = (key: string, text: string): Join['on'] | undefined =>
    problems.parsing(defined, [key], () =>
      parseCubeExpression(text, { cube: target, columns: cubes.get(target)?.columns }),
    )
  const ends = { from: parse('valid_from', from), to: parse('valid_to', to) }
  return ends.from && ends.to && { from: ends.from, to: ends.to }
}
