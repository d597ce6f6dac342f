import type { Principal } from '@olytix/auth-guards'
import { type ErrorDetail, invalidQuery } from '@olytix/errors'
import type { Statement } from '@olytix/postgres'
import { LRUCache } from 'lru-cache'
import { type FilterNode, filterLeaves } from '../project/filter-shape.js'
import type { Project } from '../project/project.js'
import { type GuardedPlan, guardPlan } from '../rls/guard-plan.js'
import { maskedProject } from '../rls/masks.js'
import { Visibility } from '../rls/visibility.js'
import { type LateValues, lateValues } from '../semantics/late-values.js'
import { tooManyToFill } from '../semantics/fill-cap.js'
import { planQuery } from '../semantics/plan-query.js'
import type { QueryPlan } from '../semantics/query-plan.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { renderCount, renderSql } from '../sql/render-sql.js'
import { renderTotals } from '../sql/render-totals.js'
import type { StatementTemplate } from '../sql/statement-template.js'

/** A question's plan for one principal, with its values. */
export interface PlannedQuestion {
  readonly plan: GuardedPlan
  readonly statement: Statement
  /** Counts the rows, whatever limit and offset are. */
  readonly counting: () => Statement
  /** Computes the metrics of all rows, whatever limit and offset are. */
  readonly totalling: () => Statement
}

/**
 * The plan of a question. One that was made for the same principal and a question of the same shape is used again: all
 * but the values that it compares with is the same.
 * @throws AppError FORBIDDEN, INVALID_QUERY with all problems at once
 */
export function planQuestion(
  project: Project,
  principal: Principal,
  question: QueryRequest,
): PlannedQuestion {
  const plans = known.get(project) ?? new LRUCache({ max: MAX_PLANS })
  known.set(project, plans)
  const key = keyOf(principal, question)
  const before = plans.get(key)
  const values = before && lateValues(before.plan.late, question)
  if (before && values) return bound(checked(before, question), values)
  const made = new Templates(guardQuestion(project, principal, question))
  if (hasLeavesOfItsOwn(question)) plans.set(key, made)
  return bound(checked(made, question), valuesOf(made, question))
}

/** What depends on the values of a question and not on its shape. @throws AppError INVALID_QUERY */
function checked(templates: Templates, question: QueryRequest): Templates {
  const problem = tooManyToFill(templates.plan.fill, question)
  if (problem) throw invalidQuery([problem])
  return templates
}

/** A new revision of the definitions is another project: its plans are its own. */
const known = new WeakMap<Project, LRUCache<string, Templates>>()
const MAX_PLANS = 2000

class Templates {
  readonly rows: StatementTemplate
  private counted: StatementTemplate | undefined
  private totalled: StatementTemplate | undefined

  constructor(readonly plan: GuardedPlan) {
    this.rows = renderSql(plan)
  }

  get count(): StatementTemplate {
    return (this.counted ??= renderCount(this.plan))
  }

  get total(): StatementTemplate {
    return (this.totalled ??= renderTotals(this.plan))
  }
}

function bound(templates: Templates, values: LateValues): PlannedQuestion {
  return {
    plan: templates.plan,
    statement: templates.rows.bind(values),
    counting: () => templates.count.bind(values),
    totalling: () => templates.total.bind(values),
  }
}

function valuesOf({ plan }: Templates, question: QueryRequest): LateValues {
  const values = lateValues(plan.late, question)
  if (!values) throw new Error('a plan fits the question that it was made for')
  return values
}

/**
 * Everything that a plan may depend on: all of the principal but how long they are known, and all of the question but the
 * values that it compares with, of which only the type counts. How an answer is read (its time-out) is no part of it.
 */
function keyOf({ expiresAt: _, ...principal }: Principal, question: QueryRequest): string {
  const { metrics, dimensions, filters, segments, timeRange, orderBy } = question
  const { fill, limit, offset, totals, timezone } = question
  const range = timeRange && 'start' in timeRange ? timeRange.dimension : timeRange
  const members = [metrics, dimensions, segments, orderBy, filters.map(shapeOf), range ?? null]
  const settings = [fill ?? null, limit, offset, totals ?? null, timezone]
  return JSON.stringify([principal, members, settings])
}

function shapeOf(node: FilterNode): unknown {
  if ('and' in node) return { and: node.and.map(shapeOf) }
  if ('or' in node) return { or: node.or.map(shapeOf) }
  if ('not' in node) return { not: shapeOf(node.not) }
  return { ...node, value: Array.isArray(node.value) ? 'list' : typeof node.value }
}

/** A filter that stands twice in a question could not have two values. */
function hasLeavesOfItsOwn({ filters }: QueryRequest): boolean {
  const leaves = filterLeaves(filters)
  return new Set(leaves).size === leaves.length
}

/** The plan of a question, made afresh. @throws AppError FORBIDDEN, INVALID_QUERY with all problems at once */
export function guardQuestion(
  project: Project,
  principal: Principal,
  question: QueryRequest,
): GuardedPlan {
  const visibility = new Visibility(project, principal)
  visibility.requireVisible(question)
  const { project: masked } = maskedProject(project, principal)
  const plan = planQuery(masked, question, visibility.vocabulary())
  if (isProblems(plan)) throw invalidQuery(plan)
  return guardPlan(plan, project, principal)
}

function isProblems(plan: QueryPlan | readonly ErrorDetail[]): plan is readonly ErrorDetail[] {
  return Array.isArray(plan)
}
