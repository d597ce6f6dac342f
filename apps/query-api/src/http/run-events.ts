import { setTimeout } from 'node:timers/promises'
import type { Caller } from '../audit/audit-event.js'
import type { RunsService } from '../models/runs.service.js'
import { runToJson, stepToJson } from './run-json.js'

const LOOK_MS = 250
/** Then whoever follows comes again, and shows that they still may. */
const LONGEST_MS = 60_000

/** Who follows a run. */
interface Following {
  readonly caller: Caller
  readonly id: string
  /** The last event that was seen. */
  readonly after: number | undefined
  /** Aborted when nobody follows any more, or the process ends. */
  readonly ended: AbortSignal
}

/**
 * A run as server-sent events: how each step is now, and then whenever it changes. An event's id is the number of the
 * run's change, so that whoever comes again with it misses nothing that is still true.
 */
export async function* runEvents(
  runs: RunsService,
  { caller, id, after, ended }: Following,
): AsyncGenerator<string, void, undefined> {
  const last = AbortSignal.any([ended, AbortSignal.timeout(LONGEST_MS)])
  let seen = after
  yield 'retry: 1000\n\n'
  yield eventOf('run', runToJson(await runs.get(id)))
  while (!last.aborted) {
    // In this order: of a run that is finished the steps are as they will stay.
    const run = await runs.get(id)
    for (const step of await runs.steps(caller, run, seen)) {
      yield eventOf('step', stepToJson(step), step.change)
      seen = Math.max(seen ?? 0, step.change)
    }
    if (run.finishedAt) {
      yield eventOf('run', runToJson(run), run.changes)
      return
    }
    await setTimeout(LOOK_MS, undefined, { signal: last }).catch(() => undefined)
    yield ': still here\n\n'
  }
}

function eventOf(name: 'run' | 'step', data: object, id?: number): string {
  const numbered = id === undefined ? '' : `id: ${String(id)}\n`
  return `${numbered}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
