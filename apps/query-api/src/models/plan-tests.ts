import type { DataTest } from '../project/data-checks.js'
import type { Project } from '../project/project.js'
import { choose } from './choose.js'
import { readValue } from './read-value.js'
import { type RunStep, type StepContext, StepFailure, type StepResult } from './run-step.js'

/**
 * A step for each test that is chosen: by its name, or by the model, seed or table of a source that it looks at.
 * @throws AppError INVALID_REQUEST for words that choose nothing
 */
export function planTests(project: Project, selection: readonly string[]): readonly RunStep[] {
  const all = Object.values(project.tests)
  const wordsOf = ({ name, subject }: DataTest) => (subject ? [name, subject] : [name])
  return choose({ what: 'test', all, wordsOf }, selection).map((test): RunStep => {
    const { name, tables } = test
    return {
      name,
      kind: 'test',
      after: [],
      tables,
      execute: (context) => runTest(context, test),
    }
  })
}

/** @throws StepFailure with how many rows fail, unless they are only warned of */
async function runTest(context: StepContext, { count, severity }: DataTest): Promise<StepResult> {
  const rows = (await readValue(context, count)) ?? 0
  if (rows === 0) return { rows }
  if (severity === 'warn') return { rows, message: 'warning: not every row passes' }
  throw new StepFailure('not every row passes', rows)
}
