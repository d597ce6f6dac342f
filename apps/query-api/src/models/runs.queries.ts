import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import { requesterOf, type Run, runRow, type Step, type StepOutcome, stepRow } from './run.js'
import type { RunKind, RunStep } from './run-step.js'

const COLUMNS = sql`
  id, revision, kind, selection, full_refresh as "isFullRefresh", status, requester, changes,
  created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"`

/** A run that is to begin. */
export interface NewRun {
  readonly id: string
  readonly project: string
  readonly revision: number
  readonly kind: RunKind
  readonly selection: readonly string[]
  readonly isFullRefresh: boolean
  readonly requester: Caller
}

export async function insertRun(transaction: Queryable, run: NewRun): Promise<void> {
  await transaction.execute(sql`
    insert into model_runs (id, project, revision, kind, selection, full_refresh, requester)
    values (
      ${run.id}, ${run.project}, ${run.revision}, ${run.kind}, ${run.selection}, ${run.isFullRefresh},
      ${JSON.stringify(requesterOf(run.requester))}
    )`)
}

/** In this order. */
export async function insertSteps(
  transaction: Queryable,
  runId: string,
  steps: readonly Pick<RunStep, 'name' | 'kind'>[],
): Promise<void> {
  const rows = steps.map(({ name, kind }, position) => ({ name, kind, position }))
  await transaction.execute(sql`
    insert into run_steps (run_id, position, name, kind)
    select ${runId}::text, position, name, kind
    from jsonb_to_recordset(${JSON.stringify(rows)}) as (position int, name text, kind text)`)
}

export function findRun(
  database: Queryable,
  project: string,
  id: string,
): Promise<Run | undefined> {
  return database.maybeOne(
    runRow,
    sql`select ${COLUMNS} from model_runs where project = ${project} and id = ${id}`,
  )
}

/** The newest runs before one, newest first. */
export function listRuns(
  database: Queryable,
  project: string,
  page: { readonly limit: number; readonly beforeId: string | null },
): Promise<Run[]> {
  return database.many(
    runRow,
    sql`
      select ${COLUMNS}
      from model_runs
      where project = ${project} and (${page.beforeId}::text is null or id < ${page.beforeId})
      order by id desc
      limit ${page.limit}`,
  )
}

/** Ids of runs that are not finished, oldest first. */
export async function listUnfinished(database: Queryable, project: string): Promise<string[]> {
  const rows = await database.many(
    z.object({ id: z.string() }),
    sql`select id from model_runs where project = ${project} and finished_at is null order by id`,
  )
  return rows.map(({ id }) => id)
}

/** In their order; those that changed after one of the run's changes. */
export function listSteps(database: Queryable, runId: string, afterChange = -1): Promise<Step[]> {
  return database.many(
    stepRow,
    sql`
      select name, kind, status, rows, sqlstate, message, change,
        started_at as "startedAt", finished_at as "finishedAt"
      from run_steps
      where run_id = ${runId} and change > ${afterChange}
      order by position`,
  )
}

export async function startRun(database: Queryable, id: string): Promise<void> {
  await database.execute(sql`
    update model_runs
    set status = 'running', started_at = coalesce(started_at, now()), changes = changes + 1
    where id = ${id}`)
}

export async function startStep(database: Queryable, runId: string, name: string): Promise<void> {
  await database.execute(sql`
    with run as (update model_runs set changes = changes + 1 where id = ${runId} returning changes)
    update run_steps
    set status = 'running', started_at = now(), change = run.changes
    from run
    where run_id = ${runId} and name = ${name}`)
}

export async function finishStep(
  database: Queryable,
  runId: string,
  { name, status, rows, sqlstate, message }: StepOutcome & { readonly name: string },
): Promise<void> {
  await database.execute(sql`
    with run as (update model_runs set changes = changes + 1 where id = ${runId} returning changes)
    update run_steps
    set status = ${status}, rows = ${rows}, sqlstate = ${sqlstate}, message = ${message}, finished_at = now(),
      change = run.changes
    from run
    where run_id = ${runId} and name = ${name}`)
}

export async function finishRun(
  database: Queryable,
  id: string,
  status: 'succeeded' | 'failed',
): Promise<void> {
  await database.execute(sql`
    update model_runs
    set status = ${status}, finished_at = now(), changes = changes + 1
    where id = ${id}`)
}
