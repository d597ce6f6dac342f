import type { Principal } from '@olytix/auth-guards'
import type { Policy, Project } from '../project/project.js'
import type { RowCondition } from '../semantics/condition.js'
import type { FactPlan, QueryPlan, SourceNode } from '../semantics/query-plan.js'
import { policiesFor } from './access.js'
import { sourcesToFence } from './fence.js'
import { toPredicate } from './predicate.js'

declare const guarded: unique symbol

/** Which rows of a source may be read, and whether expressions must be kept from seeing the others. */
export interface Guard {
  readonly predicate: RowCondition | 'unrestricted'
  readonly isFenced: boolean
}

/** A fact with a guard for each of its sources, by alias. */
export interface GuardedFact extends FactPlan {
  readonly guards: ReadonlyMap<string, Guard>
}

/** A plan whose every source is guarded. Only `guardPlan` makes one, and only one of these can be rendered. */
export interface GuardedPlan extends QueryPlan {
  readonly facts: readonly GuardedFact[]
  /** Names of the policies that had a say, sorted. */
  readonly policies: readonly string[]
  readonly [guarded]: true
}

/**
 * Puts each source's predicate at that source, before any join and aggregation. Afterwards each is guarded or
 * `unrestricted`. Policies that serve the principal are united; a row limit of theirs cuts the answer's rows.
 * @throws AppError FORBIDDEN when none serves the principal for every member that is needed, or when one names an
 * attribute which the principal lacks or holds in another type
 */
export function guardPlan(plan: QueryPlan, project: Project, principal: Principal): GuardedPlan {
  const applied: Policy[] = []
  const facts = plan.facts.map((fact): GuardedFact => {
    const fenced = sourcesToFence(fact)
    const guards = sourcesOf(fact).map((source): [string, Guard] => {
      const members = membersOf(plan, source.cube.name)
      const policies = policiesFor(project, principal, source.cube, members)
      applied.push(...policies)
      const predicate = united(policies, source, principal)
      const isFenced = predicate !== 'unrestricted' && fenced.has(source.alias)
      return [source.alias, { predicate, isFenced }]
    })
    return { ...fact, guards: new Map(guards) }
  })
  const limit = Math.min(plan.limit, Math.max(0, rowLimit(applied) - plan.offset))
  const policies = [...new Set(applied.map(({ name }) => name))].sort()
  // The brand exists for the compiler only.
  return { ...plan, facts, limit, policies } as unknown as GuardedPlan
}

function sourcesOf({ base, joins }: FactPlan): SourceNode[] {
  return [base, ...joins.map(({ source }) => source)]
}

function membersOf({ members }: QueryPlan, cube: string): ReadonlySet<string> {
  return new Set(members.flatMap((used) => (used.cube === cube ? [used.member] : [])))
}

function united(
  policies: readonly Policy[],
  source: SourceNode,
  principal: Principal,
): Guard['predicate'] {
  const conditions = policies.map(({ filter }) => filter && toPredicate(filter, source, principal))
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
