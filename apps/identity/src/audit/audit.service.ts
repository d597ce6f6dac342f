import { Inject, Injectable } from '@nestjs/common'
import type { Queryable } from '@olytix/postgres'
import { insertEvent, raiseRevision } from './audit.queries.js'
import type { Origin } from './origin.js'

/** A change, as the audit trail keeps it. */
export interface AuditEvent {
  readonly type: 'key_created' | 'key_revoked' | 'user_created'
  readonly subjectKind: 'key' | 'user'
  readonly subjectId: string
  /** Before and after; never a secret. */
  readonly data?: Readonly<Record<string, unknown>>
}

export interface AuditOptions {
  readonly now: () => Date
}

export const AUDIT_OPTIONS = Symbol('AuditOptions')

/** Writes what happened, in the transaction in which it happens: a change without its event cannot be committed. */
@Injectable()
export class AuditService {
  constructor(@Inject(AUDIT_OPTIONS) private readonly options: AuditOptions) {}

  /**
   * Records a change that may alter an answer of Authorize, and raises the revision. Call it last: from here to the
   * end of the transaction other changes wait, so that revisions are committed in their order.
   */
  async recordChange(transaction: Queryable, event: AuditEvent, origin: Origin): Promise<void> {
    const revision = await raiseRevision(transaction)
    await insertEvent(transaction, { ...event, timestamp: this.options.now(), revision }, origin)
  }
}
