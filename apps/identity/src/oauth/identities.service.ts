import { Inject, Injectable } from '@nestjs/common'
import type { Queryable } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin } from '../audit/origin.js'
import {
  type AccountRow,
  findAccountByEmail,
  findLinkedAccount,
  type Identity,
  putIdentity,
} from './identities.queries.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth.options.js'

/** An account that somebody from a provider may sign in to. */
export type Account = AccountRow

/** Who at a provider signs in to which account. */
@Injectable()
export class IdentitiesService {
  constructor(
    private readonly audit: AuditService,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  /** The account that is linked to somebody, unless it has been deleted; locked until the transaction ends. */
  findLinked(transaction: Queryable, identity: Identity): Promise<Account | undefined> {
    return findLinkedAccount(transaction, identity)
  }

  /** The account with an address, as somebody would sign in to it; locked until the transaction ends. */
  findByEmail(
    transaction: Queryable,
    emailCanonical: string,
    identity: Identity,
  ): Promise<Account | undefined> {
    return findAccountByEmail(transaction, emailCanonical, identity)
  }

  /** From now on this is their account; a link to a deleted one gives way. Call it last in its transaction. */
  async link(
    transaction: Queryable,
    { issuer, subject }: Identity,
    { userId, provider }: { readonly userId: string; readonly provider: string },
    origin: Origin,
  ): Promise<void> {
    const identity = { issuer, subject }
    await putIdentity(transaction, identity, { userId, at: this.options.now() })
    const data = { provider, ...identity }
    const event = { type: 'identity_linked', subjectKind: 'user', subjectId: userId, data } as const
    await this.audit.record(transaction, event, origin)
  }
}
