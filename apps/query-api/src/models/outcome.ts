import { AppError } from '@olytix/errors'
import { sqlState } from '@olytix/postgres'
import type { StepOutcome } from './run.js'
import { StepFailure, type StepResult } from './run-step.js'

export function succeeded({ rows, message }: StepResult): StepOutcome {
  return { status: 'succeeded', rows, sqlstate: null, message: message ?? null }
}

export function skipped(message: string): StepOutcome {
  return { status: 'skipped', rows: null, sqlstate: null, message }
}

/** Of what the database says only its SQLSTATE is kept: its words quote values. */
export function failed(error: unknown): StepOutcome {
  const outcome = { status: 'failed', rows: null, sqlstate: null } as const
  if (error instanceof StepFailure) return { ...outcome, message: error.message, rows: error.rows }
  if (error instanceof AppError) return { ...outcome, message: error.message }
  const sqlstate = sqlState(error) ?? null
  return { ...outcome, sqlstate, message: wordsFor(sqlstate) }
}

/** By SQLSTATE, else by its class, the first two characters. */
const WORDS: Readonly<Record<string, string>> = {
  '08': 'the connection to the warehouse broke',
  '0A': 'the warehouse does not support something in the SQL',
  '21': 'a sub-query gave more than one row, or two new rows have the same unique_key',
  '22': 'a value does not fit: division by zero, a cast, or a number out of range',
  '23': 'a row breaks a constraint of the table',
  '42': 'the warehouse does not take the SQL',
  '53': 'the warehouse is out of connections, memory or space',
  '54': 'the SQL is too large or too deep for the warehouse',
  '55': 'a table is in use in a way that does not let it be changed',
  '57': 'the warehouse ended the statement',
  '25006': 'the warehouse takes no changes: it is a replica, or read-only',
  '2BP01': 'a view or rule depends on a column that changes; drop it and run again',
  '40P01': 'two transactions waited for each other; run again',
  '42501': 'the role that builds models may not read a table, or may not write here',
  '42P01': 'a table is not there; was it loaded, and were the models run that this one reads?',
  '42703': 'a column is not there',
  '55P03': 'somebody else held a lock on a table for too long; run again',
  '57014': 'it took longer than OLYTIX_MODELS__TIMEOUT_SECONDS, or was cancelled',
  OLX01:
    'row security of the warehouse asks who is asking, and a run is nobody; see docs/models.md',
}

function wordsFor(sqlstate: string | null): string {
  const unknown = 'the warehouse refused'
  if (sqlstate === null) return 'something went wrong on our side; the log has it'
  return WORDS[sqlstate] ?? WORDS[sqlstate.slice(0, 2)] ?? unknown
}
