import { Inject, Injectable } from '@nestjs/common'
import type { Queryable } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { AuditEventType } from '../audit/event-types.js'
import type { Origin } from '../audit/origin.js'
import { USERS_OPTIONS, type UsersOptions } from './users.options.js'

/** Something that happens to a user or a role. */
interface Happening {
  readonly type: AuditEventType
  /** Of the user, or the role's name. */
  readonly id: string
  /** Before and after; never a secret. */
  readonly data: Readonly<Record<string, unknown>>
}

/** The clock of this folder, and its way into the audit trail. */
@Injectable()
export class UserTrail {
  constructor(
    private readonly audit: AuditService,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  now(): Date {
    return this.options.now()
  }

  /** A change that may alter an answer of Authorize. Call it last in its transaction. */
  recordUserChange(transaction: Queryable, what: Happening, origin: Origin): Promise<void> {
    const { type, id: subjectId, data } = what
    const event = { type, subjectKind: 'user', subjectId, data } as const
    return this.audit.recordChange(transaction, event, origin)
  }

  /** A change that may alter an answer of Authorize. Call it last in its transaction. */
  recordRoleChange(transaction: Queryable, what: Happening, origin: Origin): Promise<void> {
    const { type, id: subjectId, data } = what
    const event = { type, subjectKind: 'role', subjectId, data } as const
    return this.audit.recordChange(transaction, event, origin)
  }

  /** What alters no answer of Authorize. */
  recordUser(transaction: Queryable, what: Happening, origin: Origin): Promise<void> {
    const { type, id: subjectId, data } = what
    return this.audit.record(transaction, { type, subjectKind: 'user', subjectId, data }, origin)
  }
}
