import type { Principal } from '@olytix/auth-guards'
import type { Policy, Project } from '../project/project.js'
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
import { toPredicate } from './predicate.js'

declare const guarded: unique symbol

/** Which rows of a source may be read, and whether expressions must be kept from seeing the others. */
export interface Guard {
  readonly predicate: RowCondition | 'unrestricted'
  readonly isFenced: boolean
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
  /** How many rows the answer may have at most, offset included; Infinity: any number. */
  readonly rowLimit: number
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
  const guard = (source: SourceNode, fenced: ReadonlySet<string>): Guard => {
    const members = membersOf(plan, source.cube.name)
    const policies = policiesFor(project, principal, source.cube, members)
    applied.push(...policies)
    const predicate = united(policies, source, principal)
    return { predicate, isFenced: predicate !== 'unrestricted' && fenced.has(source.alias) }
  }
  const facts = plan.facts.map((fact) => guardFact(fact, guard))
  const limit = Math.min(plan.limit, Math.max(0, rowLimit(applied) - plan.offset))
  return branded({ ...plan, facts, limit }, applied)
}

type GuardSource = (source: SourceNode, fenced: ReadonlySet<string>) => Guard

/** The metrics per key of a fact are guarded with it, for all members that the whole question needs. */
function guardFact(fact: FactPlan, guard: GuardSource): GuardedFact {
  const fenced = sourcesToFence(fact)
  const guards = new Map(sourcesOf(fact).map((each) => [each.alias, guard(each, fenced)]))
  const keyed = fact.keyed.map((each): GuardedKeyedMetric => {
    const facts = each.plan.facts.map((inner) => guardFact(inner, guard))
    return { ...each, plan: branded({ ...each.plan, facts }, []) }
  })
  const { onSpine } = fact
  const periods = onSpine && guardFact(onSpine.periods, guard)
  return { ...fact, guards, keyed, onSpine: onSpine && periods && { ...onSpine, periods } }
}

function branded(
  plan: QueryPlan & { readonly facts: readonly GuardedFact[] },
  applied: readonly Policy[],
): GuardedPlan {
  const limit = rowLimit(applied)
  const policies = [...new Set(applied.map(({ name }) => name))].sort()
  // The brand exists for the compiler only.
  return { ...plan, policies, rowLimit: limit } as unknown as GuardedPlan
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
