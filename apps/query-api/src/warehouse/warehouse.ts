import { AppError, forbidden, unavailable } from '@olytix/errors'
import {
  CursorReader,
  isUnreachable,
  PipelinedReader,
  type Settings,
  sqlState,
  type Statement,
  type TextRows,
} from '@olytix/postgres'
import type { TableName } from './check-role.queries.js'
import { checkRole, type ReadTable } from './check-role.js'
import { KeptAnswers, type KeptRows, type Reuse } from './kept-answers.js'
import { storedRelations, type StoredRelation } from './stored-relations.js'

interface WarehouseOptions {
  readonly url: string
  /** Connections at most; 10 if not said. */
  readonly maxConnections?: number
  /** How long a statement may run when a question does not say; 30,000 if not said. */
  readonly statementTimeoutMs?: number
  /** Milliseconds since some moment, for answers that are kept; those of the process if left out. */
  readonly now?: () => number
  /** Told of broken connections; they are replaced by themselves. */
  readonly onError?: (error: Error) => void
}

/** How one statement runs. */
export interface ReadContext {
  /** Who is asking, for row security of the database's own. */
  readonly settings: Settings
  /** IANA name. */
  readonly timezone: string
  readonly timeoutMs?: number | undefined
}

/** Rows that come batch by batch. */
export interface RowStream {
  readonly batches: AsyncGenerator<TextRows, void, undefined>
  /** Aborted when no more rows will come although there are some. */
  readonly ended: AbortSignal
  /** Why they ended. */
  readonly reason: () => unknown
}

const CHECK_TIMEOUT_MS = 5000
const MAX_KEPT_BYTES = 32 * 1024 * 1024

/** The database that holds the numbers. Every statement runs in a read-only transaction under its own settings. */
export class Warehouse {
  private readonly reader: PipelinedReader
  private readonly cursors: CursorReader
  private readonly statementTimeoutMs: number
  private readonly kept: KeptAnswers

  constructor(options: WarehouseOptions) {
    this.statementTimeoutMs = options.statementTimeoutMs ?? 30_000
    this.kept = new KeptAnswers(options.now ?? (() => performance.now()), MAX_KEPT_BYTES)
    const connections = {
      url: options.url,
      acquireTimeoutMs: 5000,
      ...(options.onError ? { onError: options.onError } : {}),
    }
    const { maxConnections = 10 } = options
    this.reader = new PipelinedReader({ ...connections, maxConnections })
    this.cursors = new CursorReader({
      ...connections,
      maxConnections: Math.ceil(maxConnections / 2),
    })
  }

  /**
   * @throws AppError UNAVAILABLE when the server cannot be asked, QUERY_TIMEOUT after the time limit, FORBIDDEN when its
   * own row security misses an attribute, INVALID_QUERY when values do not fit; anything else is INTERNAL. What the driver said stays in `cause`.
   */
  async read(statement: Statement, context: ReadContext): Promise<TextRows> {
    const timeoutMs = context.timeoutMs ?? this.statementTimeoutMs
    try {
      return await this.reader.read(statement, this.settingsFor(context, timeoutMs))
    } catch (error) {
      throw translate(error, timeoutMs)
    }
  }

  /** The same, unless the same statement has been answered under the same settings within that time. @throws as `read` */
  readOrReuse(statement: Statement, context: ReadContext, reuse: Reuse): Promise<KeptRows> {
    const asked = { statement, settings: this.allSettings(context) }
    return this.kept.read(asked, reuse, () => this.read(statement, context))
  }

  /** How long ago the answer was read that `readOrReuse` would give again now, in milliseconds; `undefined`: it would ask. */
  keptForMs(statement: Statement, context: ReadContext, edition: object): number | undefined {
    return this.kept.ageMs({ statement, settings: this.allSettings(context) }, edition)
  }

  /**
   * The same for answers of any length, a thousand rows at a time. All of it must be taken within its time limit; then, or
   * when `signal` says so, the statement ends in the database and the batches with it.
   * @throws AppError as `read` does, with the batches
   */
  stream(statement: Statement, context: ReadContext, signal: AbortSignal): RowStream {
    const timeoutMs = context.timeoutMs ?? this.statementTimeoutMs
    const deadline = AbortSignal.timeout(timeoutMs)
    const ended = AbortSignal.any([signal, deadline])
    const rows = this.cursors.read(statement, this.settingsFor(context, timeoutMs), ended)
    const reason = (cause?: unknown): unknown =>
      deadline.aborted ? timedOut(timeoutMs, cause) : translate(cause ?? signal.reason, timeoutMs)
    return { batches: translated(rows, reason), ended, reason }
  }

  /**
   * Checks that the warehouse answers, and that row security of its own holds for the role that logs in, also through views.
   * @param tables that questions may read
   * @returns warnings about a role that is mightier than it needs to be, and about ways round that policies of ours close
   * @throws Error when the row security of a table would not hold, unless that is allowed; AppError as `read` does
   */
  checkRole(tables: readonly ReadTable[], allowPrivileged: boolean): Promise<readonly string[]> {
    return checkRole((statement) => this.readAsNobody(statement), tables, allowPrivileged)
  }

  /** Tables and views as they are stored, with all that views read, and partitions. Those that are not there are left out. */
  storedRelations(tables: readonly TableName[]): Promise<readonly StoredRelation[]> {
    return storedRelations((statement) => this.readAsNobody(statement), tables)
  }

  /** Waits for running statements and closes all connections. */
  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.cursors.close()])
  }

  private async readAsNobody(statement: Statement): Promise<TextRows['rows']> {
    const context = { settings: {}, timezone: 'UTC', timeoutMs: CHECK_TIMEOUT_MS }
    const { rows } = await this.read(statement, context)
    return rows
  }

  private allSettings(context: ReadContext): Settings {
    return this.settingsFor(context, context.timeoutMs ?? this.statementTimeoutMs)
  }

  private settingsFor({ settings, timezone }: ReadContext, timeoutMs: number): Settings {
    return { ...settings, ...SESSION, timezone, statement_timeout: String(timeoutMs) }
  }
}

/** The same in every session, whatever the database's defaults are: how times are written, which functions are meant. */
const SESSION: Settings = {
  datestyle: 'ISO, YMD',
  intervalstyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
  row_security: 'on',
  standard_conforming_strings: 'on',
  search_path: 'pg_catalog',
  jit: 'off',
}

async function* translated(
  rows: AsyncGenerator<TextRows, void, undefined>,
  reason: (cause: unknown) => unknown,
): AsyncGenerator<TextRows, void, undefined> {
  try {
    yield* rows
  } catch (error) {
    throw reason(error)
  }
}

function timedOut(timeoutMs: number, cause: unknown): AppError {
  return new AppError('QUERY_TIMEOUT', `The query took longer than ${String(timeoutMs)} ms`, {
    cause,
  })
}

/** Data exceptions (overflow, invalid text), and operators or functions that do not take such types. */
const MISFIT = /^(22...|42804|42846|42883|42P18|42P21|42P22|42725)$/

function translate(error: unknown, timeoutMs: number): unknown {
  if (error instanceof AppError) return error
  if (isUnreachable(error)) return unavailable('The warehouse', error)
  const state = sqlState(error)
  if (state === '57014') {
    return timedOut(timeoutMs, error)
  }
  if (state === 'OLX01') return forbidden('row security of the database misses an attribute')
  if (state === '42P01') {
    const message =
      'a table that this reads is not in the warehouse yet: run its model, or load its seed, first'
    return new AppError('INVALID_QUERY', message, { cause: error })
  }
  if (state !== undefined && MISFIT.test(state)) {
    const message =
      'the database cannot compute this: a value does not fit the type that it is compared, cast or calculated with'
    return new AppError('INVALID_QUERY', message, { cause: error })
  }
  return new AppError('INTERNAL', 'Something went wrong on our side', { cause: error })
}
