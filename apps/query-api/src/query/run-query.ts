import type { Principal } from '@olytix/auth-guards'
import { invalidQuery } from '@olytix/errors'
import { sqlState, type Statement, type TextRows } from '@olytix/postgres'
import type { Project } from '../project/project.js'
import type { GuardedPlan } from '../rls/guard-plan.js'
import { principalSettings } from '../rls/settings.js'
import { tooManyFilled } from '../semantics/fill-cap.js'
import type { KeptRows } from '../warehouse/kept-answers.js'
import type { RowStream, Warehouse } from '../warehouse/warehouse.js'
import { planQuestion } from './plan-question.js'
import { prepareQuestion, type Question } from './prepare-question.js'

/** The rows of an answer with the plan that they follow: dimensions first, then metrics. */
export interface Answer {
  readonly plan: GuardedPlan
  /** How long finding the plan and its policies took. */
  readonly policyMs: number
  readonly rows: TextRows
  readonly totalRows: string | undefined
  /** One row of metrics. */
  readonly totals: TextRows | undefined
  /** Whether all of it was read for an earlier question, or for an equal one at the same time. */
  readonly isKept: boolean
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
  const { plan, context, reusableMs, ...prepared } = prepareQuestion(project, principal, question)
  const policyMs = performance.now() - startedAt
  const forMs = question.cache === 'bypass' ? 0 : reusableMs
  const readKept = async (statement: Statement): Promise<KeptRows> =>
    forMs > 0
      ? warehouse.readOrReuse(statement, context, { forMs, edition: project })
      : { rows: await warehouse.read(statement, context), isKept: false }
  const read = (statement: Statement): Promise<KeptRows> =>
    readKept(statement).catch((error: unknown) => {
      throw asksTooMany(error, plan) ?? error
    })
  const [rows, count, totals] = await Promise.all([
    read(prepared.rows),
    prepared.count && read(prepared.count),
    prepared.totals && read(prepared.totals),
  ])
  return {
    plan,
    policyMs,
    rows: rows.rows,
    totalRows: count?.rows.rows[0]?.[0] ?? undefined,
    totals: totals?.rows ?? (question.totals ? NO_TOTALS : undefined),
    isKept: [rows, count, totals].every((each) => each?.isKept !== false),
  }
}

/** Without metrics there is nothing to ask for. */
const NO_TOTALS: TextRows = { fields: [], rows: [] }

/** A series of more periods than may be filled has a step of nothing, which PostgreSQL calls an invalid parameter. */
function asksTooMany(error: unknown, { fill }: GuardedPlan): Error | undefined {
  const isSeries = error instanceof Error && sqlState(error.cause) === '22023'
  return fill && isSeries ? invalidQuery([tooManyFilled(fill)]) : undefined
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
  const { plan, statement } = planQuestion(project, principal, question)
  const policyMs = performance.now() - startedAt
  const { timezone, timeoutMs } = question
  const context = { settings: principalSettings(principal), timezone, timeoutMs }
  return { plan, policyMs, ...warehouse.stream(statement, context, signal) }
}
