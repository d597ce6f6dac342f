import type { PolicyCondition, PolicyTest } from '../project/policy-language.js'
import type { ColumnName, Cube, Expression, Join, Policy, Project } from '../project/project.js'
import { expressionsByMember } from './excluded-members.js'
import { columnsRead, ProtectedColumns } from './protected-columns.js'

/**
 * What of a project only an admin may change, besides the rules themselves: what policies and masks stand on. These are
 * the relation and joins of a cube that has some, the members that they name, what policies reach through joins, all
 * joins that read a masked or excluded column, and members that could show a named member in other words.
 * @returns names of what is other, new or gone in `after`: `policy own_town`, `mask names`, `join visits.people`,
 *   `member visits.late`
 */
export function changedFooting(before: Project, after: Project): string[] {
  const [old, now] = [footing(before), footing(after)]
  const names = new Set([...old.keys(), ...now.keys()])
  return [...names].filter((name) => old.get(name) !== now.get(name)).sort()
}

function footing(project: Project): ReadonlyMap<string, string> {
  const { policies, masking, cubes } = project
  return new Map([
    ...policies.map((policy) => [`policy ${policy.name}`, ofPolicy(project, policy)] as const),
    ...masking.map((mask) => {
      const stands = ofMembers(cubes[mask.cube], mask.members)
      return [`mask ${mask.name}`, JSON.stringify([mask, stands])] as const
    }),
    ...ofJoins(project),
    ...ofOtherWords(project),
  ])
}

function ofPolicy({ cubes }: Project, policy: Policy): string {
  const tests = policy.filter ? testsOf(policy.filter) : []
  const compared = tests.map(({ dimension, through }) => [
    ofMembers(cubes[through.at(-1)?.to ?? policy.cube], [dimension]),
    through.map(({ to }) => [cubes[to]?.relation, partitionsOf(cubes[to])]),
    through.length > 0 && partitionsOf(cubes[policy.cube]),
  ])
  return JSON.stringify([policy, ofMembers(cubes[policy.cube], policy.excludeMembers), compared])
}

function ofMembers(cube: Cube | undefined, names: readonly string[]): unknown {
  return [cube?.relation, names.map((name) => [name, substanceOf(cube, name)])]
}

/** All that a member's values depend on. Whoever may see an average need not see a greatest value. */
function substanceOf(cube: Cube | undefined, name: string): unknown {
  const dimension = cube?.dimensions[name]
  const measure = Object.entries(cube?.measures[name] ?? {})
  return [
    dimension?.expression,
    dimension?.type,
    cube?.segments[name]?.expression,
    measure.filter(([key]) => !PRESENTATION.has(key)),
  ]
}

const PRESENTATION = new Set(['title', 'description', 'format', 'drillMembers', 'isPublic'])

/**
 * Members that read what a named member computes with, or chooses its rows by: lineage follows the column that a member
 * shows, but not `-(b - a)` in place of `a - b`, nor the filter of a count.
 */
function ofOtherWords({ policies, masking, cubes }: Project): (readonly [string, string])[] {
  return Object.values(cubes).flatMap((cube) => {
    const named = new Set([
      ...policies.flatMap((each) => (each.cube === cube.name ? each.excludeMembers : [])),
      ...masking.flatMap((each) => (each.cube === cube.name ? each.members : [])),
    ])
    const members = expressionsByMember(cube)
    const worded = members.flatMap(({ name, value, filters }) => {
      const isPlain = value?.parts.length === 1
      return named.has(name) ? [...(value && !isPlain ? [value] : []), ...filters] : []
    })
    const columns = new ProtectedColumns(worded.flatMap((each) => columnsRead(cube, each)))
    return members.flatMap(({ name, value, filters }) => {
      const read = [...(value ? [value] : []), ...filters].flatMap((each) =>
        columnsRead(cube, each),
      )
      if (named.has(name) || !columns.isAmong(read)) return []
      const substance = JSON.stringify(substanceOf(cube, name))
      return [[`member ${cube.name}.${name}`, substance] as const]
    })
  })
}

function partitionsOf(cube: Cube | undefined): unknown {
  return Object.values(cube?.dimensions ?? {}).flatMap((each) => {
    return each.isPartition ? [[each.name, each.expression]] : []
  })
}

function testsOf(condition: PolicyCondition): PolicyTest[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap(testsOf)
    case 'not':
      return testsOf(condition.condition)
    default:
      return [condition]
  }
}

/** Of cubes with rules, and wherever a hidden column is read: whether a row finds a partner tells of what is compared. */
function ofJoins(project: Project): (readonly [string, string])[] {
  const hidden = hiddenColumns(project)
  const ruled = new Set([...project.policies, ...project.masking].map(({ cube }) => cube))
  return Object.values(project.cubes).flatMap((cube) =>
    Object.values(cube.joins).flatMap((join) => {
      if (!ruled.has(cube.name) && !hidden.isAmong(readBy(project, cube, join))) return []
      return [[`join ${cube.name}.${join.name}`, JSON.stringify(join)] as const]
    }),
  )
}

function readBy({ cubes }: Project, cube: Cube, { cube: to, on, validity }: Join): ColumnName[] {
  const other = cubes[to]
  const ends = validity ? [validity.from, validity.to] : []
  return [
    ...columnsRead(cube, on),
    ...(other ? [turned(on), ...ends].flatMap((each) => columnsRead(other, each)) : []),
  ]
}

/** What a join reads of its other side. */
function turned({ parts, canRaise }: Expression): Expression {
  const other = parts.flatMap((part) => {
    return typeof part === 'object' && part.of === 'other' ? [{ ...part, of: 'own' as const }] : []
  })
  return { parts: other, canRaise }
}

function hiddenColumns({ cubes, policies, masking }: Project): ProtectedColumns {
  const hidden = [
    ...policies.map(({ cube, excludeMembers }) => ({ cube, members: excludeMembers })),
    ...masking.filter(({ mask }) => mask !== 'none'),
  ]
  const columns = hidden.flatMap(({ cube: name, members }) => {
    const cube = cubes[name]
    return members.flatMap((member) => {
      const expression = cube?.dimensions[member]?.expression ?? cube?.measures[member]?.expression
      return cube && expression ? columnsRead(cube, expression) : []
    })
  })
  return new ProtectedColumns(columns)
}
