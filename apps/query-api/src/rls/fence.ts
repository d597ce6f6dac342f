import { type RowCondition, type RowValue, subjectsOf } from '../semantics/condition.js'
import type { FactPlan } from '../semantics/query-plan.js'

/**
 * The sources whose rows are read by an expression that may fail or tell of them (a cast, a function, ILIKE).
 * PostgreSQL may move such an expression below a predicate, where it meets rows that are hidden: those sources need a
 * fence.
 */
export function sourcesToFence(fact: FactPlan): ReadonlySet<string> {
  const fenced = new Set<string>()
  const add = ({ alias, expression }: RowValue): void => {
    if (expression.canRaise) fenced.add(alias)
  }
  for (const { value } of fact.groups) add(value)
  for (const { value, filter } of fact.aggregates) {
    if (value) add(value)
    if (filter) addCondition(filter, add, fenced)
  }
  if (fact.where) addCondition(fact.where, add, fenced)
  for (const { on, own, other } of fact.joins) {
    if (on.canRaise) fenced.add(own).add(other)
  }
  return fenced
}

function addCondition(
  condition: RowCondition,
  add: (value: RowValue) => void,
  fenced: Set<string>,
): void {
  for (const subject of subjectsOf(condition)) add(subject)
  for (const alias of likeAliases(condition)) fenced.add(alias)
}

function likeAliases(condition: RowCondition): string[] {
  if (condition.kind === 'and' || condition.kind === 'or') {
    return condition.conditions.flatMap(likeAliases)
  }
  if (condition.kind === 'not' || condition.kind === 'sqlNot')
    return likeAliases(condition.condition)
  const isLike = condition.kind === 'test' && condition.test.kind === 'like'
  return isLike ? [condition.subject.alias] : []
}
