import { Logger } from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import type { Database } from '@olytix/postgres'
import { recordChanges } from '../audit/record-changes.js'
import type { Project } from '../project/project.js'
import type { BuildRecords } from './build-records.js'
import type { Builder } from './builder.js'
import { failed, skipped, succeeded } from './outcome.js'
import type { Run, Step, StepOutcome } from './run.js'
import { runEvent } from './run-event.js'
import type { RunKind, RunStep } from './run-step.js'
import { inOrder } from './step-order.js'
import {
  findRun,
  finishRun,
  finishStep,
  listSteps,
  listUnfinished,
  startRun,
  startStep,
} from './runs.queries.js'

const LOOK_MS = 2000
const RUNS_AT_ONCE = 2

/** The steps of a run of one kind, each after those that it waits for. @throws AppError INVALID_REQUEST for words of the selection that name nothing */
export type Planner = (project: Project, selection: readonly string[]) => readonly RunStep[]

export interface ExecutorOptions {
  readonly database: Database
  /** The name of the project. */
  readonly project: string
  readonly builder: Builder
  readonly builds: BuildRecords
  readonly planners: Readonly<Record<RunKind, Planner>>
  /** The project as it was in a revision. */
  readonly projectAt: (revision: number) => Promise<Project>
  /** Steps of one run at the same time. */
  readonly concurrency: number
  readonly now: () => Date
}

/**
 * Works on the runs that nobody works on: new ones, and those of a process that died. Who works on a run holds a lock of
 * the database on it; a process that dies loses it.
 */
export class RunExecutor {
  private readonly logger = new Logger('models')
  private readonly ending = new AbortController()
  private readonly underWay = new Map<string, Promise<void>>()
  private readonly looking: Repeated

  constructor(private readonly options: ExecutorOptions) {
    this.looking = new Repeated(() => this.look(), this.tell)
    this.looking.start(LOOK_MS)
  }

  /** @throws AppError UNAVAILABLE when nothing can be built */
  check(): Promise<void> {
    return this.options.builder.check()
  }

  /** Takes up what waits, now and not at the next look. */
  hint(): void {
    this.look().catch(this.tell)
  }

  /** Ends what is under way as if it had not begun: another process, or the next start, goes on with it. */
  async close(): Promise<void> {
    this.ending.abort(new Error('the process ends'))
    await this.looking.stop()
    await Promise.all(this.underWay.values())
  }

  private async look(): Promise<void> {
    for (const id of await listUnfinished(this.options.database, this.options.project)) {
      if (this.ending.signal.aborted || this.underWay.size >= RUNS_AT_ONCE) return
      if (!this.underWay.has(id)) this.underWay.set(id, this.takeUp(id))
    }
  }

  private async takeUp(id: string): Promise<void> {
    try {
      await this.holding(id, (signal) => this.execute(id, signal))
    } catch (error) {
      this.tell(error)
    } finally {
      this.underWay.delete(id)
    }
  }

  private async holding(id: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const lost = new AbortController()
    const lock = await this.options.database.tryLock(`run ${id}`, () => {
      lost.abort(new Error('the lock on the run is lost'))
    })
    if (!lock) return
    try {
      await work(AbortSignal.any([lost.signal, this.ending.signal]))
    } finally {
      lock.release()
    }
  }

  private async execute(id: string, signal: AbortSignal): Promise<void> {
    const { database, project, concurrency } = this.options
    const run = await findRun(database, project, id)
    if (!run || run.finishedAt) return
    await startRun(database, id)
    const before = await listSteps(database, id)
    const planned = await this.plan(run)
    const done = new Map(before.flatMap(endedBefore))
    const worker = (step: RunStep, known: StepOutcome | undefined) =>
      this.work(run, step, { known, signal })
    const isWhole =
      'steps' in planned
        ? await inOrder(planned.steps, done, concurrency, worker)
        : await this.giveUp(run, before, planned.reason)
    await this.finish(run, isWhole ? 'succeeded' : 'failed')
  }

  private async plan(
    run: Run,
  ): Promise<{ readonly steps: readonly RunStep[] } | { readonly reason: unknown }> {
    try {
      const project = await this.options.projectAt(run.revision)
      return { steps: this.options.planners[run.kind](project, run.selection) }
    } catch (reason) {
      return { reason }
    }
  }

  /** What was planned once and cannot be planned any more, as after an update that refuses what was taken before. */
  private async giveUp(run: Run, steps: readonly Step[], reason: unknown): Promise<false> {
    this.logger.error({ event: 'run_not_planned', run: run.id, err: reason })
    for (const { name } of steps.filter((each) => endedBefore(each).length === 0)) {
      const outcome = skipped('the project does not compile any more as it was for this run')
      await finishStep(this.options.database, run.id, { name, ...outcome })
    }
    return false
  }

  private async work(
    run: Run,
    step: RunStep,
    { known, signal }: { readonly known: StepOutcome | undefined; readonly signal: AbortSignal },
  ): Promise<StepOutcome['status']> {
    const { database } = this.options
    signal.throwIfAborted()
    if (!known) await startStep(database, run.id, step.name)
    const outcome = known ?? (await this.outcomeOf(run, step, signal))
    await finishStep(database, run.id, { name: step.name, ...outcome })
    return outcome.status
  }

  private async outcomeOf(run: Run, step: RunStep, signal: AbortSignal): Promise<StepOutcome> {
    const { builder, builds } = this.options
    const context = { builder, builds, runId: run.id, isFullRefresh: run.isFullRefresh, signal }
    try {
      return succeeded(await step.execute(context))
    } catch (error) {
      // Not the step's fault: whoever goes on with the run does it again.
      signal.throwIfAborted()
      this.logger.warn({ event: 'run_step_failed', run: run.id, step: step.name, err: error })
      return failed(error)
    }
  }

  private async finish(run: Run, status: 'succeeded' | 'failed'): Promise<void> {
    await this.options.database.transaction(async (transaction) => {
      await finishRun(transaction, run.id, status)
      const steps = await listSteps(transaction, run.id)
      await recordChanges(transaction, [
        runEvent(run, { phase: 'finished', status, steps, at: this.options.now() }),
      ])
    })
  }

  private readonly tell = (error: unknown): void => {
    if (!this.ending.signal.aborted) this.logger.error({ event: 'run_interrupted', err: error })
  }
}

function endedBefore({ name, status }: Step): [string, StepOutcome['status']][] {
  return status === 'pending' || status === 'running' ? [] : [[name, status]]
}
