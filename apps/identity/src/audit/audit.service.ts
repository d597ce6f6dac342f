import { Inject, Injectable } from '@nestjs/common'
import { Database, type Queryable } from '@olytix/postgres'
import { insertEvent, listChanges, raiseRevision, readRevision } from './audit.queries.js'
import type { Origin } from './origin.js'

/** What happened; the words of the documentation. */
export type AuditEventType =
  | 'authentication'
  | 'authorization'
  | 'key_created'
  | 'key_updated'
  | 'key_rotated'
  | 'key_revoked'
  | 'key_expiring'
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

/** What answers of Authorize are made from. */
export type SubjectKind = 'key' | 'user' | 'role' | 'session' | 'signing_key'

/** A change, as the audit trail keeps it. */
export interface AuditEvent {
  readonly type: AuditEventType
  readonly subjectKind: SubjectKind
  readonly subjectId: string
  /** Why it was refused; absent for what was granted. */
  readonly denialReason?: string
  /** Before and after; never a secret. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** One thing that a change touched: answers of Authorize that were made from it must not be used again. */
export interface Change {
  readonly kind: SubjectKind
  /** `key_…`, `usr_…`, the name of a role, `ses_…`, the id of a signing key. */
  readonly id: string
}

/** The changes between two revisions, in their order. */
export interface Changes {
  readonly revision: number
  /** `null`: not known any more, or too many to tell. */
  readonly changes: readonly Change[] | null
}

export interface AuditOptions {
  readonly now: () => Date
}

/** Whoever is further behind forgets everything sooner than hear of so many changes. */
const MAX_CHANGES = 1_000
/** Largest value of PostgreSQL's integer. */
const MAX_REVISION = 2_147_483_647

export const AUDIT_OPTIONS = Symbol('AuditOptions')

/** Writes what happened, in the transaction in which it happens: a change without its event cannot be committed. */
@Injectable()
export class AuditService {
  constructor(
    private readonly database: Database,
    @Inject(AUDIT_OPTIONS) private readonly options: AuditOptions,
  ) {}

  /**
   * Records a change that may alter an answer of Authorize, and raises the revision. Call it last: from here to the
   * end of the transaction other changes wait, so that revisions are committed in their order.
   */
  recordChange(transaction: Queryable, event: AuditEvent, origin: Origin): Promise<void> {
    return this.recordChanges(transaction, [event], origin)
  }

  /** Several changes of one transaction, each with a revision of its own. Call it last. */
  async recordChanges(
    transaction: Queryable,
    events: readonly AuditEvent[],
    origin: Origin,
  ): Promise<void> {
    if (events.length === 0) return
    const timestamp = this.options.now()
    const last = await raiseRevision(transaction, events.length)
    for (const [index, event] of events.entries()) {
      const revision = last - events.length + 1 + index
      await insertEvent(transaction, { ...event, timestamp, revision }, origin)
    }
  }

  /** Records what alters no answer of Authorize, such as a new session. Nobody waits for anybody. */
  async record(transaction: Queryable, event: AuditEvent, origin: Origin): Promise<void> {
    const timestamp = this.options.now()
    await insertEvent(transaction, { ...event, timestamp, revision: null }, origin)
  }

  /** The present revision: how many changes there have been. */
  revision(): Promise<number> {
    return readRevision(this.database)
  }

  /**
   * What changed after a revision, and the present one. Nothing is known to somebody who knows nothing (revision 0),
   * who knows more than there is (another database, a restored one), or whose past has gaps: a revision that was
   * raised by hand makes everybody forget.
   */
  async changesSince(since: number): Promise<Changes> {
    const { revision, changes } = await listChanges(
      this.database,
      Math.min(since, MAX_REVISION),
      MAX_CHANGES,
    )
    const isKnown = since > 0 && since <= revision && changes.length === revision - since
    return { revision, changes: isKnown ? changes : null }
  }
}
