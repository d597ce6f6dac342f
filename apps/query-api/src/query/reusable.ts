import type { Guard, GuardedFact, GuardedPlan } from '../rls/guard-plan.js'
import type { RowCondition } from '../semantics/condition.js'
import type { Cube } from '../project/project.js'

/**
 * How long an answer to this plan may be given again, in milliseconds: as long as the most impatient of its cubes allows.
 * 0 when one of them does not say, or when a policy looks at rows of another cube: then who may see what can change with
 * any of them.
 */
export function reusableForMs({ facts }: GuardedPlan): number {
  const all = facts.flatMap(factsWithin)
  const times = all.flatMap(cubesOf).map(({ refreshMs = 0 }) => refreshMs)
  const guards = all.flatMap((fact) => [...fact.guards.values()])
  return guards.some(looksElsewhere) ? 0 : Math.min(...times, times.length === 0 ? 0 : Infinity)
}

function factsWithin(fact: GuardedFact): GuardedFact[] {
  const keyed = fact.keyed.flatMap(({ plan }) => plan.facts)
  const inner = fact.onSpine ? [...keyed, fact.onSpine.periods] : keyed
  return [fact, ...inner.flatMap(factsWithin)]
}

function cubesOf({ base, joins, conversion }: GuardedFact): Cube[] {
  return [
    ...('cube' in base ? [base.cube] : []),
    ...joins.map(({ source }) => source.cube),
    ...(conversion ? [conversion.source.cube] : []),
  ]
}

function looksElsewhere({ predicate }: Guard): boolean {
  return predicate !== 'unrestricted' && hasPartners(predicate)
}

function hasPartners(condition: RowCondition): boolean {
  if (condition.kind === 'and' || condition.kind === 'or') {
    return condition.conditions.some(hasPartners)
  }
  if (condition.kind === 'not' || condition.kind === 'sqlNot')
    return hasPartners(condition.condition)
  return condition.kind === 'exists'
}
