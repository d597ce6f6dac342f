import type { Principal } from '@olytix/auth-guards'
import { type ErrorDetail, invalidQuery } from '@olytix/errors'
import type { TextRows } from '@olytix/postgres'
import type { Project } from '../project/project.js'
import { type GuardedPlan, guardPlan } from '../rls/guard-plan.js'
import { principalSettings } from '../rls/settings.js'
import { Visibility } from '../rls/visibility.js'
import { planQuery } from '../semantics/plan-query.js'
import type { QueryPlan } from '../semantics/query-plan.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { renderSql } from '../sql/render-sql.js'
import type { Warehouse } from '../warehouse/warehouse.js'

/** A question and the time that it may take in the database. */
export type Question = QueryRequest & { readonly timeoutMs?: number | undefined }

/** The rows of an answer with the plan that they follow: dimensions first, then metrics. */
export interface Answer {
  readonly plan: GuardedPlan
  readonly rows: TextRows
}

/**
 * The way of a question. What is hidden from the principal is refused first; then names become a plan, policies go into
 * each of its sources, and the one statement that results runs in the warehouse.
 * @throws AppError FORBIDDEN, INVALID_QUERY with all problems at once, QUERY_TIMEOUT, UNAVAILABLE
 */
export async function runQuery(
  project: Project,
  warehouse: Warehouse,
  principal: Principal,
  question: Question,
): Promise<Answer> {
  const plan = guardQuestion(project, principal, question)
  const rows = await warehouse.read(renderSql(plan), {
    settings: principalSettings(principal),
    timezone: question.timezone,
    timeoutMs: question.timeoutMs,
  })
  return { plan, rows }
}

/** @throws AppError FORBIDDEN, INVALID_QUERY */
export function guardQuestion(
  project: Project,
  principal: Principal,
  question: QueryRequest,
): GuardedPlan {
  const visibility = new Visibility(project, principal)
  visibility.requireVisible(question)
  const plan = planQuery(project, question, visibility.vocabulary())
  if (isProblems(plan)) throw invalidQuery(plan)
  return guardPlan(plan, project, principal)
}

function isProblems(plan: QueryPlan | readonly ErrorDetail[]): plan is readonly ErrorDetail[] {
  return Array.isArray(plan)
}
