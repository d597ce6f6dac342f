import { Inject, Injectable } from '@nestjs/common'
import type { Queryable } from '@olytix/postgres'
import { insertEvent, raiseRevision } from './audit.queries.js'
import type { Origin } from './origin.js'

/** What happened; the words of the documentation. */
export type AuditEventType =
  | 'authentication'
  | 'key_created'
  | 'key_revoked'
  | 'user_created'
  | 'user_updated'
  | 'user_disabled'
  | 'user_deleted'
  | 'password_changed'
  | 'role_changed'
  | 'role_deleted'
  | 'session_created'
  | 'session_revoked'
  | 'refresh_reuse_detected'
  | 'signing_key_rotated'

/** A change, as the audit trail keeps it. */
export interface AuditEvent {
  readonly type: AuditEventType
  readonly subjectKind: 'key' | 'user' | 'role' | 'session' | 'signing_key'
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

  /** Records what alters no answer of Authorize, such as a new session. Nobody waits for anybody. */
  async record(transaction: Queryable, event: AuditEvent, origin: Origin): Promise<void> {
    const timestamp = this.options.now()
    await insertEvent(transaction, { ...event, timestamp, revision: null }, origin)
  }
}
