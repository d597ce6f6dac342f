import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import { buildMeasures } from './build-measures.js'
import { buildDimensions, buildSegments, type CubeScope } from './build-members.js'
import type { CubeShape, JoinShape } from './definition-schemas.js'
import { parseCubeExpression } from './expression.js'
import {
  extendCubes,
  nameInText,
  partOf,
  primaryTimeOf,
  readsSomething,
  type WholeCube,
} from './extend-cubes.js'
import type { RelationName } from './model.js'
import { type Defined, type Problems, titleOf } from './problems.js'
import { byName, type Named } from './named.js'
import type { Cube, Join, Relation } from './project.js'
import { checkSelect, oneStepOf, type Readable, tableRelation } from './select.js'
import type { Referable } from './seed.js'
import { SqlProblem } from './sql-tree.js'
import { namedAsTable } from './table-names.js'

/** Where a cube's rows come from. */
type Rows = Pick<Cube, 'relation' | 'reads' | 'oneStep'>

const RESERVED = ['metric_time', 'CUBE', 'current', 'prior']

/** Cubes by name. Those with problems are left out of the result, which is used only when there are none. */
export function buildCubes(
  definitions: readonly Defined<CubeShape>[],
  readable: Readable,
  models: Named<Referable>,
  problems: Problems,
): Named<Cube> {
  const distinct = problems.distinct('cube', definitions)
  const whole = withoutTemplates(extendCubes(distinct, problems))
  const stated = new Map<string, Rows | undefined>()
  for (const definition of distinct) {
    const { name } = definition.shape
    if (whole.some(({ readsAs }) => readsAs === name)) {
      stated.set(name, rowsOf(definition, readable, models, problems))
    }
    if (RESERVED.includes(name)) {
      problems.on(definition, ['name'], `${quote(name)} is a reserved name`)
    }
  }
  const rows = new Map(
    whole.flatMap(({ shape, readsAs }) => {
      const found = stated.get(readsAs)
      return found ? [[shape.name, found] as const] : []
    }),
  )
  const relations = new Map([...rows].map(([name, { relation }]) => [name, relation] as const))
  const names = whole.map(({ shape }) => shape.name)
  return byName(
    whole.flatMap((definition) => {
      const found = rows.get(definition.shape.name)
      const joins = buildJoins(definition, { names, relations }, problems)
      return found ? [buildCube(definition, found, joins, problems)] : []
    }),
  )
}

/** What reads nothing, is not public and is extended stands for no rows: it is there for its heirs alone. */
function withoutTemplates(cubes: readonly WholeCube[]): WholeCube[] {
  const extended = new Set(cubes.map(({ shape }) => shape.extends))
  return cubes.filter(({ shape, readsAs }) => {
    const reads = readsSomething(shape) || readsAs !== shape.name
    return reads || shape.public || !extended.has(shape.name)
  })
}

function buildCube(
  definition: WholeCube,
  rows: Rows,
  joins: readonly Join[],
  problems: Problems,
): Cube {
  const { shape } = definition
  const scope: CubeScope = { definition, columns: rows.relation.columns, problems }
  checkMemberNames(definition, problems)
  const dimensions = buildDimensions(scope)
  return {
    name: shape.name,
    title: shape.title ?? titleOf(shape.name),
    description: shape.description ?? '',
    isPublic: shape.public,
    ...rows,
    dimensions: byName(dimensions),
    measures: byName(buildMeasures(scope, dimensions)),
    segments: byName(buildSegments(scope)),
    joins: byName(joins),
    primaryTime: primaryTime(definition, problems),
    refreshMs: shape.refresh_key?.every,
  }
}

function rowsOf(
  definition: Defined<CubeShape>,
  readable: Readable,
  models: Named<Referable>,
  problems: Problems,
): Rows | undefined {
  const { sql, sql_table: table, model } = definition.shape
  const given = [sql, table, model].filter((each) => each !== undefined)
  if (given.length !== 1) {
    problems.on(definition, ['name'], 'a cube needs exactly one of sql, sql_table and model')
    return undefined
  }
  if (sql !== undefined) {
    return problems.parsing(definition, ['sql'], () => {
      const { relation, reads, oneStep } = checkSelect(sql, readable)
      return { relation, reads, oneStep }
    })
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
      const relation = tableRelation(qualifier, name, readable, 0)
      const [own = { schema: qualifier, table: name }] = relation.tables
      return rowsOfNamed({ table: own }, relation)
    })
  }
  const found = models[model ?? '']
  if (!found) problems.unknown(definition, ['model'], ['model', model ?? ''], Object.keys(models))
  return found && rowsOfNamed({ model: found.name }, found.relation)
}

function rowsOfNamed(of: RelationName, relation: Relation): Rows {
  return { relation, reads: [of], oneStep: oneStepOf(namedAsTable(of), relation) }
}

/** Members of a cube share one space of names; a join must not be mistaken for a dimension in `cube.join.dimension`. */
function checkMemberNames(definition: WholeCube, problems: Problems): void {
  const { dimensions, measures, segments, joins } = definition.shape
  problems.distinct<{ readonly name: string }>('member', [
    ...dimensions.map((each, index) => partOf(definition, ['dimensions', index], each)),
    ...measures.map((each, index) => partOf(definition, ['measures', index], each)),
    ...segments.map((each, index) => partOf(definition, ['segments', index], each)),
  ])
  const named = joins.map((each, index) => partOf(definition, ['joins', index], each))
  for (const join of problems.distinct('join', named)) {
    if (dimensions.some(({ name }) => name === join.shape.name)) {
      problems.on(join, ['name'], `there is a dimension of the name ${quote(join.shape.name)}`)
    }
  }
}

function primaryTime(definition: WholeCube, problems: Problems): string | undefined {
  const primary = primaryTimeOf(definition.shape)
  for (const [index, shape] of definition.shape.dimensions.entries()) {
    if (!shape.primary_time) continue
    const defined = partOf(definition, ['dimensions', index], shape)
    const at = ['primary_time']
    if (shape.type !== 'time') problems.on(defined, at, 'only a dimension of type time can be it')
    if (shape !== primary) problems.on(defined, at, 'a cube has one primary time')
  }
  return primary?.name
}

function buildJoins(
  definition: WholeCube,
  cubes: { readonly names: readonly string[]; readonly relations: ReadonlyMap<string, Relation> },
  problems: Problems,
): Join[] {
  return definition.shape.joins.flatMap((shape, index) => {
    const target = shape.cube ?? shape.name
    const defined = partOf(definition, ['joins', index], shape)
    if (!cubes.names.includes(target)) {
      const key = shape.cube === undefined ? 'name' : 'cube'
      problems.unknown(defined, [key], ['cube', target], cubes.names)
      return []
    }
    const own = { name: definition.shape.name, inText: nameInText(definition, shape) }
    return buildJoin(defined, target, own, { cubes: cubes.relations, problems })
  })
}

function buildJoin(
  defined: Defined<JoinShape>,
  target: string,
  own: { readonly name: string; readonly inText: string },
  context: { readonly cubes: ReadonlyMap<string, Relation>; readonly problems: Problems },
): Join[] {
  const { shape } = defined
  const on = context.problems.parsing(defined, ['sql'], () =>
    parseCubeExpression(shape.sql, {
      cube: own.inText,
      columns: context.cubes.get(own.name)?.columns,
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
