import type { Cube, Expression, Policy, Project } from '../project/project.js'
import { columnsRead, ProtectedColumns } from './protected-columns.js'

/**
 * The members that a policy does not open: those that it names, and those that would show them under another name. Of a
 * member that is a plain column (or an aggregate of one) these are all that read the column, of any other those that
 * hold its expression. A masking policy `none` that names a member says that it may be shown all the same.
 */
export function excludedMembers(project: Project, policy: Policy, cube: Cube): ReadonlySet<string> {
  const known = cached.get(policy)
  if (known) return known
  const result = withSecondNames(project, policy, cube)
  cached.set(policy, result)
  return result
}

const cached = new WeakMap<Policy, ReadonlySet<string>>()

function withSecondNames(project: Project, policy: Policy, cube: Cube): ReadonlySet<string> {
  const named = new Set(policy.excludeMembers)
  const expressions = policy.excludeMembers.flatMap((name) => valueOf(cube, name) ?? [])
  const plain = expressions.filter(({ parts }) => parts.length === 1)
  const columns = new ProtectedColumns(plain.flatMap((each) => columnsRead(cube, each)))
  const texts = expressions.filter(({ parts }) => parts.length > 1).map(textOf)
  const opened = new Set(
    project.masking.flatMap(({ cube: of, mask, members }) => {
      return of === cube.name && mask === 'none' ? members : []
    }),
  )
  for (const { name, value, filters } of expressionsByMember(cube)) {
    const read = [...(value ? [value] : []), ...filters]
    const isSame = read.some((each) => texts.some((text) => textOf(each).includes(text)))
    const showsColumn = columns.isAmong(read.flatMap((each) => columnsRead(cube, each)))
    if ((isSame || showsColumn) && !opened.has(name)) named.add(name)
  }
  return named
}

function valueOf(cube: Cube, name: string): Expression | undefined {
  return (cube.dimensions[name] ?? cube.segments[name] ?? cube.measures[name])?.expression
}

/** A member with all its expressions over the rows of its cube. */
interface MemberExpressions {
  readonly name: string
  /** What it shows or aggregates; `undefined` for a plain count and for `number`. */
  readonly value: Expression | undefined
  /** What chooses its rows. */
  readonly filters: readonly Expression[]
}

export function expressionsByMember(cube: Cube): MemberExpressions[] {
  return [
    ...[...Object.values(cube.dimensions), ...Object.values(cube.segments)].map((member) => {
      return { name: member.name, value: member.expression, filters: [] }
    }),
    ...Object.values(cube.measures).map(({ name, expression, filters }) => {
      return { name, value: expression, filters }
    }),
  ]
}

/** Without the brackets of the list, so that an expression is found inside another. */
function textOf({ parts }: Expression): string {
  return JSON.stringify(parts).slice(1, -1)
}
