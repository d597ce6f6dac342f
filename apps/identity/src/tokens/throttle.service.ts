import { createHash } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin } from '../audit/origin.js'
import { FORGET_MS, networkOf, type ThrottleKind, waitMs } from './throttle.js'
import {
  countFailure,
  deleteOldFailures,
  findFailures,
  forgetFailures,
  type ThrottleSubject,
} from './throttle.queries.js'
import { tooManyFailures } from './tokens.errors.js'
import { TOKENS_OPTIONS, type TokensOptions } from './tokens.options.js'

/** Who tries to prove a password, and from where. */
export interface Attempt {
  /** Canonical address of the account, whether or not there is one. */
  readonly account: string
  readonly clientIp: string | null
}

/** Slows down guessing. Its memory is the database: neither a restart nor another replica forgets. */
@Injectable()
export class ThrottleService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditService,
    @Inject(TOKENS_OPTIONS) private readonly options: TokensOptions,
  ) {}

  /** @throws AppError RATE_LIMITED while an attempt must wait */
  async demandTurn(attempt: Attempt): Promise<void> {
    const counted = await findFailures(this.database, subjectsOf(attempt))
    const wait = waitMs(counted, this.options.now())
    if (wait > 0) throw tooManyFailures(Math.ceil(wait / 1000))
  }

  /** Counts a failure and records it. How many that can be is bounded by the waits that they lead to. */
  async noteFailure(
    attempt: Attempt,
    { userId, reason, origin }: { userId: string | null; reason: string; origin: Origin },
  ): Promise<void> {
    const times = { now: this.options.now(), since: this.forgottenSince() }
    await this.database.transaction(async (transaction) => {
      await countFailure(transaction, subjectsOf(attempt), times)
      const event = {
        type: 'authentication',
        subjectKind: 'user',
        subjectId: userId ?? 'unknown',
        denialReason: reason,
        data: { method: 'password' },
      } as const
      await this.audit.record(transaction, event, origin)
    })
  }

  /** Deletes failures that are forgotten. @returns how many of at most `limit` */
  reap(limit: number): Promise<number> {
    return deleteOldFailures(this.database, { since: this.forgottenSince(), limit })
  }

  /**
   * Forgets the failures of this account from this network. Those of the network stay: otherwise whoever has one
   * account could try all others for ever.
   */
  async noteSuccess(attempt: Attempt): Promise<void> {
    await forgetFailures(this.database, accountSubject(attempt).subjectHash)
  }

  private forgottenSince(): Date {
    return new Date(this.options.now().getTime() - FORGET_MS)
  }
}

function subjectsOf(attempt: Attempt): ThrottleSubject[] {
  return [accountSubject(attempt), subject('network', [networkOf(attempt.clientIp)])]
}

function accountSubject({ account, clientIp }: Attempt): ThrottleSubject {
  return subject('account', [networkOf(clientIp), account])
}

function subject(kind: ThrottleKind, parts: readonly string[]): ThrottleSubject {
  const subjectHash = createHash('sha256')
    .update(JSON.stringify([kind, ...parts]))
    .digest()
  return { kind, subjectHash }
}
