import type { Principal } from '@olytix/auth-guards'
import { type ErrorDetail, invalidQuery } from '@olytix/errors'
import type { Statement, TextRows } from '@olytix/postgres'
import { filterLeaves } from '../project/filter-shape.js'
import type { Project } from '../project/project.js'
import { type GuardedPlan, guardPlan } from '../rls/guard-plan.js'
import { maskedProject } from '../rls/masks.js'
import { principalSettings } from '../rls/settings.js'
import { Visibility } from '../rls/visibility.js'
import { planQuery } from '../semantics/plan-query.js'
import type { QueryPlan } from '../semantics/query-plan.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { renderCount, renderSql } from '../sql/render-sql.js'
import type { RowStream, Warehouse } from '../warehouse/warehouse.js'

/** A question and the time that it may take in the database. */
export type Question = QueryRequest & {
  readonly timeoutMs?: number | undefined
  /** Count the rows without limit. */
  readonly totalRows?: boolean | undefined
  /** Compute the metrics over all groups too. */
  readonly totals?: boolean | undefined
}

/** The rows of an answer with the plan that they follow: dimensions first, then metrics. */
export interface Answer {
  readonly plan: GuardedPlan
  /** How long finding the plan and its policies took. */
  readonly policyMs: number
  readonly rows: TextRows
  readonly totalRows: string | undefined
  /** One row of metrics. */
  readonly totals: TextRows | undefined
}

/**
 * The way of a question. What is hidden from the principal is refused first; then names become a plan of the project as it
 * is behind the principal's masks, policies go into each of its sources, and the one statement that results runs in the warehouse.
 * @throws AppError FORBIDDEN, INVALID_QUERY with all problems at once, QUERY_TIMEOUT, UNAVAILABLE
 */
export async function runQuery(
  project: Project,
  warehouse: Warehouse,
  principal: Principal,
  question: Question,
): Promise<Answer> {
  const startedAt = performance.now()
  const { plan, total } = guardAll(project, principal, question)
  const policyMs = performance.now() - startedAt
  const read = (statement: Statement): Promise<TextRows> =>
    warehouse.read(statement, {
      settings: principalSettings(principal),
      timezone: question.timezone,
      timeoutMs: question.timeoutMs,
    })
  const [rows, count, totals] = await Promise.all([
    read(renderSql(plan)),
    question.totalRows ? read(renderCount(plan)) : undefined,
    total && read(renderSql(total)),
  ])
  return { plan, policyMs, rows, totalRows: count?.rows[0]?.[0] ?? undefined, totals }
}

/** The rows of an answer, as they come. */
export interface StreamedAnswer extends RowStream {
  readonly plan: GuardedPlan
  readonly policyMs: number
}

/**
 * The same way for answers of any length.
 * @param signal ends the statement when nobody waits for its rows any more
 * @throws AppError FORBIDDEN, INVALID_QUERY at once; the rest comes with the rows
 */
export function streamQuery(
  project: Project,
  warehouse: Warehouse,
  asked: { readonly principal: Principal; readonly question: Question },
  signal: AbortSignal,
): StreamedAnswer {
  const { principal, question } = asked
  const startedAt = performance.now()
  const plan = guardQuestion(project, principal, question)
  const policyMs = performance.now() - startedAt
  const { timezone, timeoutMs } = question
  const context = { settings: principalSettings(principal), timezone, timeoutMs }
  return { plan, policyMs, ...warehouse.stream(renderSql(plan), context, signal) }
}

/**
 * A question's plan, and the one of its totals if it asks for them.
 * @throws AppError FORBIDDEN, INVALID_QUERY
 */
export function guardAll(
  project: Project,
  principal: Principal,
  question: Question,
): { readonly plan: GuardedPlan; readonly total: GuardedPlan | undefined } {
  const plan = guardQuestion(project, principal, question)
  return { plan, total: question.totals ? guardTotals(project, principal, question) : undefined }
}

/** The same question as one group. */
function guardTotals(project: Project, principal: Principal, question: Question): GuardedPlan {
  if (filterLeaves(question.filters).some(({ metric, per }) => metric !== undefined && !per)) {
    const message = 'totals of groups that are filtered by a metric are not supported'
    throw invalidQuery([{ path: 'totals', message }])
  }
  return guardQuestion(project, principal, {
    ...question,
    dimensions: [],
    orderBy: [],
    limit: 1,
    offset: 0,
    isTotal: true,
    fill: false,
  })
}

/** @throws AppError FORBIDDEN, INVALID_QUERY */
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
