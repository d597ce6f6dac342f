import { Inject, Injectable } from '@nestjs/common'
import type { Principal } from '@olytix/auth-guards'
import { Database, type Queryable } from '@olytix/postgres'
import { insertEvents, listChanges, raiseRevision, readRevision } from './audit.queries.js'
import type { AuditEventType } from './event-types.js'
import type { Origin } from './origin.js'

/** What answers of Authorize are made from. */
export type SubjectKind = 'key' | 'user' | 'role' | 'session' | 'signing_key'

/** Something that happened, as the audit trail keeps it. */
export interface AuditEvent {
  readonly type: AuditEventType
  /** `resource`: what was asked for and refused. */
  readonly subjectKind: SubjectKind | 'resource'
  readonly subjectId: string
  /** Why it was refused; absent for what was granted. */
  readonly denialReason?: string
  /** Before and after; never a secret. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** An event with when it was and where it came from. */
export interface PastEvent extends AuditEvent {
  readonly timestamp: Date
  readonly origin: Pick<Origin, 'requestId' | 'clientIp'> & {
    readonly principal: Pick<Principal, 'id' | 'email' | 'roles'> | null
  }
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
    const first = last - events.length + 1
    await insertEvents(
      transaction,
      events.map((event, index) => ({ ...event, origin, timestamp, revision: first + index })),
    )
  }

  /**
   * Records what alters no answer of Authorize, such as a new session. Call it last: events wait for each other too,
   * so that each can be tied to the one before.
   */
  record(transaction: Queryable, event: AuditEvent, origin: Origin): Promise<void> {
    return this.recordPast(transaction, [{ ...event, origin, timestamp: this.options.now() }])
  }

  /** Records what happened a while ago, in this order; nothing of it alters an answer of Authorize. */
  recordPast(transaction: Queryable, events: readonly PastEvent[]): Promise<void> {
    return insertEvents(
      transaction,
      events.map((event) => ({ ...event, revision: null })),
    )
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
