import type { Principal } from '@olytix/auth-guards'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import { RUN_KINDS, STEP_KINDS } from './run-step.js'

const RUN_STATUSES = ['queued', 'running', 'succeeded', 'failed'] as const

const STEP_STATUSES = ['pending', 'running', 'succeeded', 'failed', 'skipped'] as const

const scope = z.enum(['read', 'write', 'admin'])

/** Who asked for a run. Attributes are not kept: nothing that a run does depends on them. */
const requester = z
  .object({
    id: z.string(),
    kind: z.enum(['user', 'api_key']),
    email: z.string().nullable(),
    name: z.string(),
    roles: z.array(z.string()),
    scopes: z.array(scope),
    requestId: z.string(),
    clientIp: z.string(),
  })
  .transform(({ requestId, clientIp, ...known }): Caller => {
    const principal: Principal = { ...known, attributes: {}, expiresAt: null }
    return { principal, requestId, clientIp }
  })

/** As it is kept with a run. */
export function requesterOf({ principal, requestId, clientIp }: Caller): object {
  const { id, kind, email, name, roles, scopes } = principal
  return { id, kind, email, name, roles, scopes, requestId, clientIp }
}

export const runRow = z.object({
  id: z.string(),
  revision: z.coerce.number(),
  kind: z.enum(RUN_KINDS),
  selection: z.array(z.string()),
  isFullRefresh: z.boolean(),
  status: z.enum(RUN_STATUSES),
  requester,
  changes: z.coerce.number(),
  createdAt: z.date(),
  startedAt: z.date().nullable(),
  finishedAt: z.date().nullable(),
})

/** A run as it is kept. */
export type Run = z.output<typeof runRow>

export const stepRow = z.object({
  name: z.string(),
  kind: z.enum(STEP_KINDS),
  status: z.enum(STEP_STATUSES),
  rows: z.coerce.number().nullable(),
  /** Of the database; five characters. */
  sqlstate: z.string().nullable(),
  message: z.string().nullable(),
  /** The number of the run's change that made it what it is. */
  change: z.coerce.number(),
  startedAt: z.date().nullable(),
  finishedAt: z.date().nullable(),
})

/** A step of a run as it is kept. */
export type Step = z.output<typeof stepRow>

/** What became of a step. */
export interface StepOutcome extends Pick<Step, 'rows' | 'sqlstate' | 'message'> {
  readonly status: 'succeeded' | 'failed' | 'skipped'
}
