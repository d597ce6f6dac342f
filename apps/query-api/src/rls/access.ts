import type { Principal } from '@olytix/auth-guards'
import { forbidden } from '@olytix/errors'
import type { Cube, Policy, Project, TableName } from '../project/project.js'
import { tableKey } from '../project/table-names.js'
import { excludedMembers } from './excluded-members.js'
import { maskedProject } from './masks.js'

const EVERYONE = '*'

/**
 * The policies of a cube that serve a principal for a question that needs these members of it. No policies at all mean
 * that the cube is open: it has none, and reads nothing that a cube with policies reads.
 * @throws AppError FORBIDDEN when there is none that covers every one of the members
 */
export function policiesFor(
  project: Project,
  principal: Principal,
  cube: Cube,
  members: ReadonlySet<string>,
): readonly Policy[] {
  requireNotClosed(project, principal, cube, members)
  const policies = rulesOf(project).policies.get(cube.name) ?? []
  if (policies.length === 0) {
    requireOpen(project, cube)
    return []
  }
  const matching = policies.filter(({ roles }) => matches(roles, principal))
  if (matching.length === 0) {
    throw forbidden(`no policy of cube ${cube.name} serves a role of ${principal.id}`)
  }
  const covering = matching.filter((policy) =>
    [...excludedMembers(project, policy, cube)].every((member) => !members.has(member)),
  )
  if (covering.length === 0) {
    throw forbidden(`no policy opens all of ${cube.name}.{${[...members].join(',')}}`)
  }
  return covering
}

/** What is masked for a principal is closed to them where it is read without a masking policy. */
function requireNotClosed(
  project: Project,
  principal: Principal,
  { name }: Cube,
  members: ReadonlySet<string>,
): void {
  const closed = maskedProject(project, principal).closed.get(name)
  const member = closed === 'all' ? '*' : [...members].find((each) => closed?.has(each))
  if (member === undefined) return
  throw forbidden(`${name}.${member} reads what is masked and has no masking policy of its own`)
}

function matches(roles: readonly string[], principal: Principal): boolean {
  return roles.some((role) => role === EVERYONE || principal.roles.includes(role))
}

/** Policies follow lineage: what a cube with policies reads is protected wherever else it is read. */
function requireOpen(project: Project, { name, relation }: Cube): void {
  if (relation.tables.some((table) => isProtected(project, table))) {
    throw forbidden(`cube ${name} reads a protected table and has no policy of its own`)
  }
  const isMasked = project.masking.some(({ cube }) => cube === name)
  if (relation.isOpaque && !isMasked && project.policies.length + project.masking.length > 0) {
    throw forbidden(`what cube ${name} reads is not known, and it has no policy of its own`)
  }
}

/** Whether a cube with policies reads a table, so that nothing without policies may. */
export function isProtected(project: Project, table: TableName): boolean {
  return rulesOf(project).protectedTables.has(tableKey(table))
}

interface Rules {
  /** By cube. */
  readonly policies: ReadonlyMap<string, readonly Policy[]>
  readonly protectedTables: ReadonlySet<string>
}

/** Looked up for each source of each question, so that all of a project's are not gone through each time. */
function rulesOf(project: Project): Rules {
  const result = known.get(project) ?? collectRules(project)
  known.set(project, result)
  return result
}

const known = new WeakMap<Project, Rules>()

function collectRules({ policies: all, cubes }: Project): Rules {
  const policies = new Map<string, Policy[]>()
  for (const policy of all) {
    const own = policies.get(policy.cube) ?? []
    policies.set(policy.cube, [...own, policy])
  }
  const tables = Object.values(cubes)
    .filter(({ name }) => policies.has(name))
    .flatMap(({ relation }) => relation.tables.map(tableKey))
  return { policies, protectedTables: new Set(tables) }
}
