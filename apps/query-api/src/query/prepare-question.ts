import type { Principal } from '@olytix/auth-guards'
import type { Statement } from '@olytix/postgres'
import type { Project } from '../project/project.js'
import type { GuardedPlan } from '../rls/guard-plan.js'
import { principalSettings } from '../rls/settings.js'
import type { QueryRequest } from '../semantics/query-request.js'
import type { ReadContext } from '../warehouse/warehouse.js'
import { planQuestion } from './plan-question.js'
import { reusableForMs } from './reusable.js'

/** A question and the time that it may take in the database. */
export type Question = QueryRequest & {
  readonly timeoutMs?: number | undefined
  /** Count the rows without limit. */
  readonly totalRows?: boolean | undefined
  /** `bypass`: read anew, whatever is kept. */
  readonly cache?: 'default' | 'bypass' | undefined
}

/** All that is read for a question, and how. */
export interface PreparedQuestion {
  readonly plan: GuardedPlan
  readonly context: ReadContext
  /** How long its answers may be given again, whatever the question says of the cache; 0: never. */
  readonly reusableMs: number
  readonly rows: Statement
  /** The number of rows without limit, if asked for. */
  readonly count: Statement | undefined
  /** One row of metrics, if asked for and there are metrics. */
  readonly totals: Statement | undefined
}

/** @throws AppError FORBIDDEN, INVALID_QUERY with all problems at once */
export function prepareQuestion(
  project: Project,
  principal: Principal,
  question: Question,
): PreparedQuestion {
  const { timeoutMs, totalRows: isCounted, cache: _, ...request } = question
  const { plan, statement, counting, totalling } = planQuestion(project, principal, request)
  return {
    plan,
    context: { settings: principalSettings(principal), timezone: question.timezone, timeoutMs },
    reusableMs: reusableForMs(plan),
    rows: statement,
    count: isCounted ? counting() : undefined,
    totals: question.totals && plan.metrics.length > 0 ? totalling() : undefined,
  }
}
