import type { Freshness } from '../project/data-checks.js'
import type { Project } from '../project/project.js'
import { choose } from './choose.js'
import { readValue } from './read-value.js'
import { type RunStep, type StepContext, StepFailure, type StepResult } from './run-step.js'

/**
 * A step for each table that is to be fresh and is chosen: as `source.table`, or with all of its source.
 * @throws AppError INVALID_REQUEST for words that choose nothing
 */
export function planFreshness(project: Project, selection: readonly string[]): readonly RunStep[] {
  const all = Object.values(project.freshness)
  const wordsOf = ({ name, source }: Freshness) => [name, source, `source:${source}`]
  const what = 'table whose freshness is asked for'
  return choose({ what, all, wordsOf }, selection).map((freshness): RunStep => {
    const { name, table } = freshness
    return {
      name,
      kind: 'freshness',
      after: [],
      tables: [table],
      execute: (context) => look(context, freshness),
    }
  })
}

/** @throws StepFailure when the newest row is older than `error_after`, or there is none */
async function look(context: StepContext, freshness: Freshness): Promise<StepResult> {
  const { age, warnAfterSeconds, errorAfterSeconds } = freshness
  const seconds = await readValue(context, age)
  if (isOver(seconds, errorAfterSeconds)) throw new StepFailure(describe(seconds, 'error_after'))
  if (!isOver(seconds, warnAfterSeconds)) return { rows: null }
  return { rows: null, message: `warning: ${describe(seconds, 'warn_after')}` }
}

function isOver(seconds: number | null, limit: number | undefined): boolean {
  return limit !== undefined && (seconds ?? Infinity) > limit
}

function describe(seconds: number | null, limit: string): string {
  if (seconds === null) return 'no row says when it was loaded'
  return `its newest row is older than ${limit}`
}
