import type { Run } from '../models/run.js'
import type { SeenStep } from '../models/runs.service.js'
import { authorToJson } from './author.js'

/** A run without its steps. */
export function runToJson(run: Run) {
  const { principal } = run.requester
  return {
    id: run.id,
    kind: run.kind,
    status: run.status,
    revision: run.revision,
    selection: run.selection,
    full_refresh: run.isFullRefresh,
    requested_by: authorToJson({ authorId: principal.id, authorEmail: principal.email }),
    created_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    finished_at: run.finishedAt?.toISOString() ?? null,
  }
}

/** Who may not be told more learns the status, how long it took, and of which class an error is. */
export function stepToJson(step: SeenStep) {
  const { name, kind, status, startedAt, finishedAt, isTold } = step
  const duration = startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null
  return {
    name,
    kind,
    status,
    rows: isTold ? step.rows : null,
    duration_ms: duration,
    message: isTold && status === 'succeeded' ? step.message : null,
    error: errorOf(step),
  }
}

function errorOf({ status, sqlstate, message, isTold }: SeenStep) {
  if (status !== 'failed' && status !== 'skipped') return null
  const known = { sqlstate_class: sqlstate?.slice(0, 2) ?? null }
  return isTold ? { ...known, sqlstate, message } : known
}
