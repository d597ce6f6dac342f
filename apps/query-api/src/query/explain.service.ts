import type { Principal } from '@olytix/auth-guards'
import { Inject, Injectable } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import type { Caller } from '../audit/audit-event.js'
import { AuditService } from '../audit/audit.service.js'
import type { Project } from '../project/project.js'
import { CurrentProject } from '../project/current-project.js'
import type { Warehouse } from '../warehouse/warehouse.js'
import { type CacheState, cacheState } from './cache-state.js'
import { explainPlan, type Explanation } from './explain.js'
import { guardQuestion } from './plan-question.js'
import { prepareQuestion, type Question } from './prepare-question.js'
import { WAREHOUSE } from './query.tokens.js'
import { QuestionTrail } from './question-trail.js'

/** Somebody else, in whose place an admin looks at a question. */
export interface OtherPrincipal {
  readonly principal: Principal
  /** Whether any credential of theirs works at present. */
  readonly isActive: boolean
}

/** Whose question it is, what applies to it, or why it is refused. */
export type Explained = {
  readonly principal: {
    readonly id: string
    readonly kind: string
    readonly email: string | null
    readonly roles: readonly string[]
  }
  /** Of the definitions. */
  readonly revision: number
} & (
  | ({ readonly decision: 'allowed'; readonly cache: CacheState } & Explanation)
  | { readonly decision: 'refused'; readonly denial_reason: string }
)

/** Says what applies to a question. Plans it afresh: of what is kept it tells only whether there is something. */
@Injectable()
export class ExplainService {
  constructor(
    private readonly projects: CurrentProject,
    @Inject(WAREHOUSE) private readonly warehouse: Warehouse,
    private readonly audit: AuditService,
  ) {}

  /** For the caller. @throws AppError as the question itself would */
  async own(caller: Caller, question: Question): Promise<Explained> {
    const trail = new QuestionTrail(this.audit, caller, question)
    const { explained, plan, policyMs } = await trail.refusals(() =>
      this.explain(caller.principal, question, false),
    )
    await trail.evaluated({ plan, policyMs })
    return explained
  }

  /** For an admin: also why it would be refused. @throws AppError INVALID_QUERY */
  async other(caller: Caller, question: Question, other: OtherPrincipal): Promise<Explained> {
    const trail = new QuestionTrail(this.audit, caller, question)
    const { id } = other.principal
    try {
      const { explained, plan, policyMs } = this.explain(other.principal, question, true)
      await trail.evaluatedAs(id, { plan, policyMs })
      return other.isActive
        ? explained
        : refused(explained, 'no credential of theirs works at present')
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'FORBIDDEN') throw error
      await trail.evaluatedAs(id)
      const reason = typeof error.cause === 'string' ? error.cause : 'forbidden'
      return refused(headOf(other.principal, this.projects.held.revision), reason)
    }
  }

  private explain(principal: Principal, question: Question, showsAll: boolean) {
    const startedAt = performance.now()
    const { project, revision } = this.projects.held
    const plan = guardQuestion(project, principal, question)
    const policyMs = performance.now() - startedAt
    const explanation = explainPlan(plan, { project, principal, showsAll })
    const explained: Explained = {
      decision: 'allowed',
      ...headOf(principal, revision),
      ...explanation,
      cache: this.cacheOf(project, principal, question),
    }
    return { explained, plan, policyMs }
  }

  private cacheOf(project: Project, principal: Principal, question: Question): CacheState {
    const prepared = prepareQuestion(project, principal, question)
    return cacheState(this.warehouse, prepared, { project, cache: question.cache })
  }
}

function headOf({ id, kind, email, roles }: Principal, revision: number) {
  return { principal: { id, kind, email, roles }, revision }
}

function refused(
  { principal, revision }: Pick<Explained, 'principal' | 'revision'>,
  denial_reason: string,
): Explained {
  return { decision: 'refused', principal, revision, denial_reason }
}
