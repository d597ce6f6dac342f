import type { ChangeEvent } from '../audit/record-changes.js'
import type { NewRun } from './runs.queries.js'
import type { Run, Step } from './run.js'

/** What happened to a run. */
interface RunMoment {
  readonly phase: 'requested' | 'finished'
  readonly status: Run['status']
  readonly steps: readonly Pick<Step, 'name' | 'status' | 'sqlstate'>[]
  readonly at: Date
}

/** The audit event of a run, by who asked for it. */
export function runEvent(
  run: Pick<NewRun, 'id' | 'revision' | 'kind' | 'selection' | 'isFullRefresh' | 'requester'>,
  { phase, status, steps, at }: RunMoment,
): ChangeEvent {
  return {
    type: 'model_run',
    at,
    caller: run.requester,
    subject: run.id,
    cube: null,
    data: {
      phase,
      kind: run.kind,
      revision: run.revision,
      selection: run.selection,
      full_refresh: run.isFullRefresh,
      status,
      steps: steps.map(({ name, status: outcome, sqlstate }) => ({
        name,
        status: outcome,
        sqlstate,
      })),
    },
  }
}
