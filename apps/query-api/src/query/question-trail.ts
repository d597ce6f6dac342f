import { AppError } from '@olytix/errors'
import {
  type AuditEvent,
  type AuditEventType,
  type Caller,
  NO_QUESTION,
} from '../audit/audit-event.js'
import type { AuditService } from '../audit/audit.service.js'
import type { GuardedPlan } from '../rls/guard-plan.js'
import type { Question } from './prepare-question.js'

/** What a question came to. */
interface Outcome {
  readonly plan: GuardedPlan
  /** How long finding the plan and its policies took. */
  readonly policyMs: number
  /** Rows that were given. */
  readonly rows: number
  /** Whether the caller left, or the warehouse failed, before the last row. */
  readonly isCutShort?: boolean
  /** Whether the rows had been read for an earlier question. */
  readonly isKept?: boolean
}

/** One question on its way into the audit trail. */
export class QuestionTrail {
  private readonly startedAt: number

  constructor(
    private readonly audit: AuditService,
    private readonly caller: Caller,
    private readonly question: Question,
  ) {
    this.startedAt = audit.clock.elapsedMs()
  }

  /** Runs `work`; if that refuses the question, the refusal gets its event. */
  async refusals<T>(work: () => Promise<T> | T): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof AppError && error.code === 'FORBIDDEN') await this.refused(error)
      throw error
    }
  }

  /** @throws AppError UNAVAILABLE when there can be no event: then there may be no answer */
  answered(outcome: Outcome): Promise<void> {
    const duration = Math.round((this.audit.clock.elapsedMs() - this.startedAt) * 10) / 10
    const event: AuditEvent = {
      ...this.granted('data_access', outcome),
      rows: outcome.rows,
      data: {
        query_duration_ms: duration,
        cache_hit: outcome.isKept === true,
        cubes: cubesOf(outcome.plan),
        ...(outcome.isCutShort ? { cut_short: true } : {}),
      },
    }
    return outcome.plan.maskingPolicies.length > 0
      ? this.audit.record(event, { ...event, type: 'masking_applied' })
      : this.audit.record(event)
  }

  /** For whoever asks what would be answered, and gets no rows. @throws AppError UNAVAILABLE */
  evaluated(outcome: Pick<Outcome, 'plan' | 'policyMs'>): Promise<void> {
    return this.audit.record(this.granted('policy_evaluated', outcome))
  }

  /** The same where an admin asks what would be answered to somebody else; without a plan: nothing would. */
  evaluatedAs(principal: string, outcome?: Pick<Outcome, 'plan' | 'policyMs'>): Promise<void> {
    const event = outcome
      ? this.granted('policy_evaluated', outcome)
      : this.asked('policy_evaluated')
    return this.audit.record({ ...event, data: { ...event.data, as_user: principal } })
  }

  private refused({ cause }: AppError): Promise<void> {
    return this.audit.recordRefusal({
      ...this.asked('access_denied'),
      denialReason: typeof cause === 'string' ? cause : 'forbidden',
    })
  }

  private granted(
    type: AuditEventType,
    { plan, policyMs }: Pick<Outcome, 'plan' | 'policyMs'>,
  ): AuditEvent {
    const cubes = cubesOf(plan)
    return {
      ...this.asked(type),
      cube: cubes[0] ?? null,
      policies: plan.policies,
      predicates: plan.predicates,
      maskingPolicies: plan.maskingPolicies,
      maskedMembers: plan.maskedMembers,
      policyEvaluationMs: Math.round(policyMs * 1000) / 1000,
      data: { cubes },
    }
  }

  private asked(type: AuditEventType): AuditEvent {
    const { metrics, dimensions } = this.question
    const named = [...metrics, ...dimensions].find((name) => name.includes('.'))
    return {
      ...NO_QUESTION,
      type,
      at: this.audit.clock.now(),
      caller: this.caller,
      cube: named?.split('.')[0] ?? null,
      measures: metrics,
      dimensions,
    }
  }
}

/** Those that are measured come first. */
function cubesOf({ facts, members }: GuardedPlan): string[] {
  const bases = facts.flatMap(({ base }) => ('cube' in base ? [base.cube.name] : []))
  return [...new Set([...bases, ...members.map(({ cube }) => cube)])]
}
