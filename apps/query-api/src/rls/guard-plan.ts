import type { Principal } from '@olytix/auth-guards'
import type { Cube, Policy, Project } from '../project/project.js'
import type { RowCondition } from '../semantics/condition.js'
import type {
  FactPlan,
  KeyedMetric,
  OnSpinePlan,
  QueryPlan,
  SourceNode,
} from '../semantics/query-plan.js'
import { policiesFor } from './access.js'
import { sourcesToFence } from './fence.js'
import { type MaskedColumn, maskedProject, type MaskedProject } from './masks.js'
import { toPredicate } from './predicate.js'

declare const guarded: unique symbol

/** Which rows of a source may be read, and whether expressions must be kept from seeing the others. */
export interface Guard {
  readonly predicate: RowCondition | 'unrestricted'
  readonly isFenced: boolean
  /** Masks of those members that the question needs. */
  readonly masks: readonly MaskedColumn[]
}

/** A metric per key whose every source is guarded. */
export interface GuardedKeyedMetric extends Omit<KeyedMetric, 'plan'> {
  readonly plan: GuardedPlan
}

/** A fact with a guard for each of its sources, by alias. */
export interface GuardedFact extends FactPlan {
  readonly guards: ReadonlyMap<string, Guard>
  readonly keyed: readonly GuardedKeyedMetric[]
  readonly onSpine?: (OnSpinePlan & { readonly periods: GuardedFact }) | undefined
}

/** A plan whose every source is guarded. Only `guardPlan` makes one, and only one of these can be rendered. */
export interface GuardedPlan extends QueryPlan {
  readonly facts: readonly GuardedFact[]
  /** Names of the policies that had a say, sorted. */
  readonly policies: readonly string[]
  /** Their filters as they are written, sorted. */
  readonly predicates: readonly string[]
  /** Names of the masking policies that had a say, sorted. */
  readonly maskingPolicies: readonly string[]
  /** `cube.member` of what the question needs and is masked, sorted. */
  readonly maskedMembers: readonly string[]
  /** How many rows the answer may have at most, offset included; Infinity: any number. */
  readonly rowLimit: number
  readonly [guarded]: true
}

/**
 * Puts each source's predicate at that source, before any join and aggregation. Afterwards each is guarded or
 * `unrestricted`, and has the columns of its masks. Policies that serve the principal are united; a row limit of theirs cuts the answer's rows.
 * @throws AppError FORBIDDEN when none serves the principal for every member that is needed, or when one names an
 * attribute which the principal lacks or holds in another type
 */
export function guardPlan(plan: QueryPlan, project: Project, principal: Principal): GuardedPlan {
  const applied = new Applied(project, maskedProject(project, principal))
  const guard = (source: SourceNode, fenced: ReadonlySet<string>): Guard => {
    const cube = applied.unmasked(source.cube)
    const members = membersOf(plan, cube.name)
    const policies = policiesFor(project, principal, cube, members)
    applied.policies.push(...policies)
    const predicate = united(policies, { source: { ...source, cube }, project, principal })
    const masks = applied.masksOf(cube.name, members)
    const isFenced = fenced.has(source.alias) || masks.length > 0
    return { predicate, isFenced: predicate !== 'unrestricted' && isFenced, masks }
  }
  const facts = plan.facts.map((fact) => guardFact(fact, { guard, applied }))
  const limit = Math.min(plan.limit, Math.max(0, rowLimit(applied.policies) - plan.offset))
  return branded({ ...plan, facts, limit }, applied)
}

/** What has had a say in a plan so far. */
class Applied {
  readonly policies: Policy[] = []
  readonly masks = new Map<string, MaskedColumn>()

  constructor(
    readonly project: Project,
    readonly behind: MaskedProject,
  ) {}

  /** A cube as it is defined. A plan must have been made of cubes behind the principal's masks. */
  unmasked(planned: Cube): Cube {
    const cube = this.project.cubes[planned.name]
    if (cube && this.behind.project.cubes[planned.name] === planned) return cube
    throw new Error(`${planned.name} was planned without the masks of the principal`)
  }

  masksOf(cube: string, members: ReadonlySet<string>): MaskedColumn[] {
    const masks = [...(this.behind.masked.get(cube)?.values() ?? [])]
    const needed = masks.filter(({ member }) => members.has(member))
    for (const mask of needed) this.masks.set(`${cube}.${mask.member}`, mask)
    return needed
  }
}

interface Guarding {
  readonly guard: (source: SourceNode, fenced: ReadonlySet<string>) => Guard
  readonly applied: Applied
}

/** The metrics per key of a fact are guarded with it, for all members that the whole question needs. */
function guardFact(fact: FactPlan, guarding: Guarding): GuardedFact {
  const fenced = sourcesToFence(fact)
  const guards = new Map(
    sourcesOf(fact).map((each) => [each.alias, guarding.guard(each, fenced)] as const),
  )
  const keyed = fact.keyed.map((each): GuardedKeyedMetric => {
    const facts = each.plan.facts.map((inner) => guardFact(inner, guarding))
    const none = new Applied(guarding.applied.project, guarding.applied.behind)
    return { ...each, plan: branded({ ...each.plan, facts }, none) }
  })
  const { onSpine } = fact
  const periods = onSpine && guardFact(onSpine.periods, guarding)
  return { ...fact, guards, keyed, onSpine: onSpine && periods && { ...onSpine, periods } }
}

function branded(
  plan: QueryPlan & { readonly facts: readonly GuardedFact[] },
  { policies, masks }: Applied,
): GuardedPlan {
  const rules = {
    policies: sortedNames(policies.map(({ name }) => name)),
    predicates: sortedNames(policies.flatMap(({ filterText }) => filterText ?? [])),
    maskingPolicies: sortedNames([...masks.values()].map(({ policy }) => policy)),
    maskedMembers: sortedNames(masks.keys()),
    rowLimit: rowLimit(policies),
  }
  // The brand exists for the compiler only.
  return { ...plan, ...rules } as unknown as GuardedPlan
}

function sortedNames(names: Iterable<string>): string[] {
  return [...new Set(names)].sort()
}

function sourcesOf({ base, joins, conversion }: FactPlan): SourceNode[] {
  const own = 'cube' in base ? [base] : []
  return [...own, ...joins.map(({ source }) => source), ...(conversion ? [conversion.source] : [])]
}

function membersOf({ members }: QueryPlan, cube: string): ReadonlySet<string> {
  return new Set(members.flatMap((used) => (used.cube === cube ? [used.member] : [])))
}

function united(
  policies: readonly Policy[],
  subject: Parameters<typeof toPredicate>[1],
): Guard['predicate'] {
  const conditions = policies.map(({ filter }) => filter && toPredicate(filter, subject))
  const filters = conditions.filter((condition) => condition !== undefined)
  if (filters.length < conditions.length || filters.length === 0) return 'unrestricted'
  const [only, ...others] = filters
  return only && others.length === 0 ? only : { kind: 'or', conditions: filters }
}

/** Per cube the largest limit of its policies, none if one of them has none; over all cubes the smallest. */
function rowLimit(policies: readonly Policy[]): number {
  const byCube = new Map<string, number>()
  for (const { cube, rowLimit: limit = Infinity } of policies) {
    byCube.set(cube, Math.max(byCube.get(cube) ?? 0, limit))
  }
  return Math.min(Infinity, ...byCube.values())
}
