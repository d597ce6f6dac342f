import { AppError } from '@olytix/errors'
import { newId } from '@olytix/postgres'
import type { Caller } from '../audit/audit-event.js'
import { recordChanges } from '../audit/record-changes.js'
import type { CurrentProject } from '../project/current-project.js'
import type { TableName } from '../project/project.js'
import type { ExecutorOptions, RunExecutor } from './run-executor.js'
import { runEvent } from './run-event.js'
import type { Run, Step } from './run.js'
import type { RunKind } from './run-step.js'
import { mayLearn } from './who-may-learn.js'
import {
  findRun,
  insertRun,
  insertSteps,
  listRuns,
  listSteps,
  listUnfinished,
} from './runs.queries.js'

const MAX_WAITING = 50
const NO_BUILDER = 'Nothing can be run here: OLYTIX_MODELS__URL is not set; see docs/models.md'

type RunsOptions = Pick<ExecutorOptions, 'database' | 'project' | 'planners' | 'now'>

/** A step, and whether who asks may learn more of it than its status and the class of an error. */
export interface SeenStep extends Step {
  readonly isTold: boolean
}

/** What somebody wants to run. */
export interface RunRequest {
  readonly kind: RunKind
  /** Words of the selection; none: everything. */
  readonly selection: readonly string[]
  readonly isFullRefresh: boolean
}

/** Runs of models, seeds, tests and freshness: asked for here, worked on by whichever replica takes them up. */
export class RunsService {
  constructor(
    private readonly options: RunsOptions,
    private readonly projects: CurrentProject,
    /** `undefined`: nobody has said how to build. */
    private readonly executor: RunExecutor | undefined,
  ) {}

  /**
   * Keeps the run, with its audit event, and returns before it begins.
   * @returns its id
   * @throws AppError INVALID_REQUEST for a selection that names nothing, CONFLICT while too many wait, UNAVAILABLE when
   * the role that builds may do too much or the warehouse does not answer
   */
  async start(requester: Caller, request: RunRequest): Promise<string> {
    const { database, project, planners, now } = this.options
    const { executor } = this
    if (!executor) throw new AppError('UNAVAILABLE', NO_BUILDER)
    const { project: current, revision } = this.projects.held
    const steps = planners[request.kind](current, request.selection)
    await executor.check()
    if ((await listUnfinished(database, project)).length >= MAX_WAITING) {
      throw new AppError('CONFLICT', `${String(MAX_WAITING)} runs wait already; look at them first`)
    }
    const at = now()
    const run = { id: newId('run', at), project, revision, requester, ...request }
    await database.transaction(async (transaction) => {
      await insertRun(transaction, run)
      await insertSteps(transaction, run.id, steps)
      const planned = steps.map(
        ({ name }) => ({ name, status: 'pending', sqlstate: null }) as const,
      )
      const event = runEvent(run, { phase: 'requested', status: 'queued', steps: planned, at })
      await recordChanges(transaction, [event])
    })
    executor.hint()
    return run.id
  }

  /** One page, newest first, and the id to go on from. */
  async list(page: {
    readonly size: number
    readonly beforeId: string | null
  }): Promise<{ readonly runs: readonly Run[]; readonly nextId: string | null }> {
    const { database, project } = this.options
    const { size, beforeId } = page
    const found = await listRuns(database, project, { limit: size + 1, beforeId })
    const runs = found.slice(0, size)
    return { runs, nextId: found.length > size ? (runs.at(-1)?.id ?? null) : null }
  }

  /** @throws AppError NOT_FOUND */
  async get(id: string): Promise<Run> {
    const run = await findRun(this.options.database, this.options.project, id)
    if (!run) throw new AppError('NOT_FOUND', 'There is no such run')
    return run
  }

  /** Those that changed after one of the run's changes; all of them if that is left out. */
  async steps({ principal }: Caller, run: Run, afterChange?: number): Promise<readonly SeenStep[]> {
    const steps = await listSteps(this.options.database, run.id, afterChange)
    const tables = this.tablesOf(run)
    const { project } = this.projects
    return steps.map((step) => ({
      ...step,
      isTold: mayLearn(project, principal, tables.get(step.name)),
    }))
  }

  /** What each step reads as things are now: policies may have changed since the run. */
  private tablesOf({ kind }: Run): ReadonlyMap<string, readonly TableName[]> {
    const steps = this.options.planners[kind](this.projects.project, [])
    return new Map(steps.map(({ name, tables }) => [name, tables]))
  }
}
