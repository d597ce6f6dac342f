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
  for (const group of fact.groups) if (group) add(group.value)
  for (const { value, filter } of fact.aggregates) {
    if (value) add(value)
    if (filter) addCondition(filter, add, fenced)
  }
  if (fact.where) addCondition(fact.where, add, fenced)
  addJoins(fact, add, fenced)
  addTimes(fact, fenced)
  return fenced
}

function addJoins(fact: FactPlan, add: (value: RowValue) => void, fenced: Set<string>): void {
  for (const { on, own, other, equal, validity } of fact.joins) {
    if (on.canRaise) fenced.add(own).add(other)
    for (const each of equal.flat()) add(each)
    if (validity) fenced.add(own).add(other).add(validity.time.alias)
  }
  for (const { time } of fact.calendars) fenced.add(time.alias)
  for (const { keys } of fact.keyed) for (const key of keys) add(key)
}

/** Arithmetic with times may fail for some. */
function addTimes({ timeline, edge, conversion }: FactPlan, fenced: Set<string>): void {
  if (timeline) fenced.add(timeline.time.alias)
  if (edge) fenced.add(edge.time.alias)
  if (conversion) fenced.add(conversion.source.alias).add(conversion.baseTime.alias)
}

function addCondition(
  condition: RowCondition,
  add: (value: RowValue) => void,
  fenced: Set<string>,
): void {
  for (const subject of subjectsOf(condition)) add(subject)
  for (const alias of testedAliases(condition)) fenced.add(alias)
}

/** Whose columns a test reads by more than a comparison, however plain they are themselves. */
function testedAliases(condition: RowCondition): string[] {
  if (condition.kind === 'and' || condition.kind === 'or') {
    return condition.conditions.flatMap(testedAliases)
  }
  if (condition.kind === 'not' || condition.kind === 'sqlNot' || condition.kind === 'exists')
    return testedAliases(condition.condition)
  return condition.kind === 'test' && mayFail(condition) ? [condition.subject.alias] : []
}

/** Patterns; and parts and periods of times, since not every date is a timestamp, and an infinite one has no year. */
function mayFail({ subject, test }: RowCondition & { readonly kind: 'test' }): boolean {
  return test.kind === 'like' || test.kind === 'periods' || subject.datePart !== undefined
}
