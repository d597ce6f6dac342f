import type { TableName } from '../project/project.js'
import type { BuildRecords } from './build-records.js'
import type { Builder } from './builder.js'

export const RUN_KINDS = ['models', 'seeds', 'tests', 'freshness'] as const

export type RunKind = (typeof RUN_KINDS)[number]

export const STEP_KINDS = ['model', 'seed', 'test', 'freshness'] as const

export type StepKind = (typeof STEP_KINDS)[number]

/** One thing that a run does. A step that succeeded is not done again when a killed run is resumed; any other is. */
export interface RunStep {
  /** No other step of the run has it. */
  readonly name: string
  readonly kind: StepKind
  /** Names of steps of this run that must have succeeded before. None that waits for itself. */
  readonly after: readonly string[]
  /** Every table that it reads, down to those of sources: who reads a run learns more only where these are open. */
  readonly tables: readonly TableName[]
  /** @throws StepFailure, AppError, or what the database says, of which the SQLSTATE is kept and nothing else */
  execute(context: StepContext): Promise<StepResult>
}

/** What a step works with. */
export interface StepContext {
  readonly builder: Builder
  readonly builds: BuildRecords
  readonly runId: string
  readonly isFullRefresh: boolean
  /** Aborted when this process may not go on with the run; another one will. */
  readonly signal: AbortSignal
}

export interface StepResult {
  /** Written, or found; null when that says nothing. */
  readonly rows: number | null
  /** In words of ours, without values. */
  readonly message?: string
}

/** A step that came to a bad end without an error of the database: a test that found rows. The text holds no values. */
export class StepFailure extends Error {
  constructor(
    message: string,
    readonly rows: number | null = null,
  ) {
    super(message)
  }
}
