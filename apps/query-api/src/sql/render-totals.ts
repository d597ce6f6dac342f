import { sql } from '@olytix/postgres'
import type { GuardedFact, GuardedPlan } from '../rls/guard-plan.js'
import type { GroupValue } from '../semantics/query-plan.js'
import { renderSelect } from './render-sql.js'
import { StatementTemplate } from './statement-template.js'

/**
 * The metrics of all rows of an answer together, whatever its limit: of the rows behind it, not of its groups, so that
 * averages and distinct counts are right. Where the answer does not have every group, it is computed first and only rows
 * of its groups count.
 */
export function renderTotals(plan: GuardedPlan): StatementTemplate {
  const used = [...new Set(plan.metrics.flatMap(({ value }) => factsOf(value)))]
  const isPartial = plan.having !== undefined || plan.facts.some(({ onSpine }) => onSpine)
  const total = renderSelect({
    ...plan,
    facts: plan.facts
      .filter((_, index) => used.includes(index))
      .map((fact) => ungrouped(fact, isPartial)),
    metrics: plan.metrics.map((metric) => ({ ...metric, value: renumbered(metric.value, used) })),
    dimensions: [],
    fill: undefined,
    having: undefined,
    order: [],
    limit: Infinity,
    offset: 0,
  })
  if (!isPartial) return new StatementTemplate(total.toStatement())
  const groups = renderSelect({ ...plan, order: [], limit: Infinity, offset: 0 })
  return new StatementTemplate(sql`with "passing" as (\n${groups}\n)\n${total}`.toStatement())
}

function factsOf({ parts }: GroupValue): number[] {
  return parts.flatMap((part) => (typeof part === 'string' ? [] : [part.fact]))
}

function renumbered({ parts }: GroupValue, used: readonly number[]): GroupValue {
  const places = [...used].sort((a, b) => a - b)
  return {
    parts: parts.map((part) => {
      return typeof part === 'string' ? part : { ...part, fact: places.indexOf(part.fact) }
    }),
  }
}

/** All rows of a fact as one group; of groups that the answer has, if it does not have them all. */
function ungrouped(fact: GuardedFact, isPartial: boolean): GuardedFact {
  return {
    ...fact,
    groups: fact.groups.map(() => undefined),
    passing: isPartial ? fact.groups : undefined,
  }
}
