import { Inject, Injectable, Logger } from '@nestjs/common'
import { KeyUsesService } from '../keys/key-uses.service.js'
import { RateLimitsService } from '../keys/rate-limits.service.js'
import { AUTHORIZE_OPTIONS, type AuthorizeOptions } from './authorize.options.js'
import { type Decision, type Demand, type DenialReason, limited } from './decide.js'
import { RefusalsService } from './refusals.service.js'

/** One question: may the bearer of this credential do that? */
export interface Question extends Demand {
  /** Exactly as it was presented. */
  readonly credential: string
  /** What is asked for, for log and audit trail: `POST /api/v1/query`. */
  readonly resource: string
  readonly requestId: string
  /** One of our services passes a call on, for which it has asked already: the request is counted there, not here. */
  readonly isPassedOn: boolean
}

/**
 * What follows from a decision: it is counted against the key's rate limit, noted, and if it is a denial logged and
 * recorded. All in memory; what is noted is written every few seconds.
 */
@Injectable()
export class BookkeepingService {
  private readonly logger = new Logger('authorize')

  constructor(
    private readonly uses: KeyUsesService,
    private readonly rateLimits: RateLimitsService,
    private readonly refusals: RefusalsService,
    @Inject(AUTHORIZE_OPTIONS) private readonly options: AuthorizeOptions,
  ) {}

  /** @returns the decision, or a denial if the rate limit of the key is used up */
  settle(question: Question, judged: Decision): Decision {
    const decision = this.limit(question, judged)
    if (decision.denialReason !== null) this.recordDenial(question, decision, decision.denialReason)
    this.noteUse(question, decision)
    return decision
  }

  /** Only a request that may pass is counted. */
  private limit(question: Question, decision: Decision): Decision {
    const { denialReason, heldId, rateLimit } = decision
    if (denialReason !== null || heldId === null || !rateLimit) return decision
    return question.isPassedOn
      ? decision
      : limited(decision, this.rateLimits.take(heldId, rateLimit))
  }

  private noteUse({ isPassedOn, clientIp }: Question, decision: Decision): void {
    const { heldId, denialReason } = decision
    if (isPassedOn || !heldId?.startsWith('key_')) return
    const outcome = denialReason ?? 'allowed'
    this.uses.note({ keyId: heldId, outcome, at: this.options.now(), clientIp, requests: 1 })
  }

  private recordDenial(
    { requestId, resource, clientIp }: Question,
    { principal, heldId }: Decision,
    reason: DenialReason,
  ): void {
    this.logger.log({
      event: 'access_denied',
      denial_reason: reason,
      request_id: requestId,
      resource,
      client_ip: clientIp,
      user_id: heldId,
    })
    const holder = heldId === null ? null : { id: heldId, email: null, roles: [] }
    this.refusals.note({ reason, principal: principal ?? holder, resource, requestId, clientIp })
  }
}
