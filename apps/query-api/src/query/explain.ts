import type { Principal } from '@olytix/auth-guards'
import type { Masking, Policy, Project } from '../project/project.js'
import type { GuardedFact, GuardedPlan } from '../rls/guard-plan.js'
import { attributesOf } from '../rls/policy-attributes.js'

interface ExplainedPolicy {
  readonly name: string
  /** The principal's roles that it serves; `*` for everyone. */
  readonly serves: readonly string[]
  /** Whether it gives a part of the rows only. */
  readonly filters_rows: boolean
  /** What it asks about the principal; never what the answer is. */
  readonly attributes: readonly string[]
  readonly row_limit: number | null
}

interface ExplainedCube {
  readonly name: string
  /** What the question needs of it. */
  readonly members: readonly string[]
  /** `open`: it has no policies. */
  readonly access: 'open' | 'policies'
  /** Those that are united. */
  readonly policies: readonly ExplainedPolicy[]
}

interface ExplainedMask {
  readonly member: string
  readonly policy: string
  readonly mask: 'null' | 'partial' | 'hash' | 'value'
}

interface ExplainedJoin {
  readonly from: string
  readonly to: string
}

/** What applies to a question of a principal, by name: no value of the warehouse, of an attribute or of a policy. */
export interface Explanation {
  readonly cubes: readonly ExplainedCube[]
  readonly masks: readonly ExplainedMask[]
  readonly joins: readonly ExplainedJoin[]
  /** How many rows the answer may have at most, offset included; null: any number. */
  readonly row_limit: number | null
}

/**
 * Explains a plan.
 * @param showsAll also what is not public
 */
export function explainPlan(
  plan: GuardedPlan,
  { project, principal, showsAll }: { project: Project; principal: Principal; showsAll: boolean },
): Explanation {
  const isShown = (cube: string): boolean => showsAll || project.cubes[cube]?.isPublic === true
  const members = (cube: string): string[] => {
    const used = plan.members.flatMap((each) => (each.cube === cube ? [each.member] : []))
    const shown = showsAll ? used : used.filter((name) => isPublicMember(project, cube, name))
    return [...new Set(shown)].sort()
  }
  const applied = project.policies.filter(({ name }) => plan.policies.includes(name))
  const cubes = cubesOf(plan).filter(isShown)
  return {
    cubes: cubes.map((name) => {
      const own = applied.filter(({ cube }) => cube === name)
      return {
        name,
        members: members(name),
        access: own.length === 0 ? 'open' : 'policies',
        policies: own.map((policy) => explainPolicy(policy, principal)),
      }
    }),
    masks: masksOf(plan, project).filter(
      ({ member }) => showsAll || isPublicMember(project, ...split(member)),
    ),
    joins: joinsOf(plan).filter(({ from, to }) => isShown(from) && isShown(to)),
    row_limit: Number.isFinite(plan.rowLimit) ? plan.rowLimit : null,
  }
}

function explainPolicy({ name, roles, filter, rowLimit }: Policy, who: Principal): ExplainedPolicy {
  return {
    name,
    serves: roles.filter((role) => role === '*' || who.roles.includes(role)),
    filters_rows: filter !== undefined,
    attributes: attributesOf(filter),
    row_limit: rowLimit ?? null,
  }
}

function masksOf(plan: GuardedPlan, { masking }: Project): ExplainedMask[] {
  const applied = masking.filter(({ name }) => plan.maskingPolicies.includes(name))
  return plan.maskedMembers.flatMap((full): ExplainedMask[] => {
    const [cube, member] = split(full)
    const policy = applied.find((each) => each.cube === cube && each.members.includes(member))
    return policy ? [{ member: full, policy: policy.name, mask: kindOf(policy) }] : []
  })
}

function kindOf({ mask }: Masking): ExplainedMask['mask'] {
  return typeof mask === 'object' || mask === 'none' ? 'value' : mask
}

/** Those whose rows are read, in the order of the plan. */
function cubesOf({ facts, members }: GuardedPlan): string[] {
  const read = facts.flatMap((fact) => [...namesIn(fact).values()])
  return [...new Set([...read, ...members.map(({ cube }) => cube)])]
}

function joinsOf({ facts }: GuardedPlan): ExplainedJoin[] {
  const joins = facts.flatMap((fact) => {
    const names = namesIn(fact)
    return fact.joins.map(({ source, own, other }): ExplainedJoin => {
      const to = source.cube.name
      const from = names.get(own === source.alias ? other : own) ?? to
      return { from, to }
    })
  })
  return [...new Map(joins.map((join) => [`${join.from} ${join.to}`, join])).values()]
}

/** Cubes of a fact, by alias. */
function namesIn({ base, joins }: GuardedFact): Map<string, string> {
  const sources = [...('cube' in base ? [base] : []), ...joins.map(({ source }) => source)]
  return new Map(sources.map(({ alias, cube }) => [alias, cube.name]))
}

function isPublicMember({ cubes }: Project, cube: string, name: string): boolean {
  const of = cubes[cube]
  const member = of?.dimensions[name] ?? of?.measures[name] ?? of?.segments[name]
  return of?.isPublic === true && member?.isPublic === true
}

function split(full: string): [string, string] {
  const dot = full.indexOf('.')
  return [full.slice(0, dot), full.slice(dot + 1)]
}
