import type { Project } from '../project/project.js'
import type { Warehouse } from '../warehouse/warehouse.js'
import type { PreparedQuestion, Question } from './prepare-question.js'

/** Where the answer to a question would come from now. */
export interface CacheState {
  /**
   * `off`: one of its cubes has no `refresh_key`, or a policy looks at rows of another cube · `bypassed`: the question says
   * so · `empty`: nothing is kept for this principal · `kept`: it is.
   */
  readonly state: 'off' | 'bypassed' | 'empty' | 'kept'
  /** How long an answer may be given again, in milliseconds. */
  readonly ttl_ms: number | null
  /** How long ago the answer that is kept was read, its oldest part, in milliseconds. */
  readonly age_ms: number | null
}

/**
 * Looks what is kept for a question, without changing it. Answers are kept for one principal each, so that this tells
 * nothing of what others asked.
 */
export function cacheState(
  warehouse: Warehouse,
  { context, reusableMs, ...read }: PreparedQuestion,
  asked: { readonly project: Project; readonly cache: Question['cache'] },
): CacheState {
  if (reusableMs === 0) return { state: 'off', ttl_ms: null, age_ms: null }
  if (asked.cache === 'bypass') return { state: 'bypassed', ttl_ms: reusableMs, age_ms: null }
  const ages = [read.rows, read.count, read.totals]
    .filter((statement) => statement !== undefined)
    .map((statement) => warehouse.keptForMs(statement, context, asked.project) ?? Infinity)
  const oldest = Math.max(...ages)
  return Number.isFinite(oldest)
    ? { state: 'kept', ttl_ms: reusableMs, age_ms: Math.round(oldest) }
    : { state: 'empty', ttl_ms: reusableMs, age_ms: null }
}
