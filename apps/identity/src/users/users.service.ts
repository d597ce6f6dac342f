import { Inject, Injectable } from '@nestjs/common'
import { newId, type Queryable, violates } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin } from '../audit/origin.js'
import { PasswordsService } from './passwords.service.js'
import { emailTaken } from './users.errors.js'
import { countAdmins, insertUser, lockFirstAdmin } from './users.queries.js'
import { USERS_OPTIONS, type UsersOptions } from './users.options.js'

/** What a new account needs. All of it is checked already. */
export interface NewUser {
  readonly email: string
  readonly emailCanonical: string
  readonly name: string
  readonly password: string
  readonly roles: readonly string[]
}

/** Accounts of people. */
@Injectable()
export class UsersService {
  constructor(
    private readonly passwords: PasswordsService,
    private readonly audit: AuditService,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  /** Whether somebody with the scope admin has an account. */
  async hasAdmin(database: Queryable): Promise<boolean> {
    return (await countAdmins(database)) > 0
  }

  /** Until the transaction ends, nobody else can pass here: what `hasAdmin` says then stays true. */
  lockFirstAdmin(transaction: Queryable): Promise<void> {
    return lockFirstAdmin(transaction)
  }

  /**
   * Makes an account, in the caller's transaction.
   * @returns its id
   * @throws AppError CONFLICT when the address has an account already
   */
  async createUser(transaction: Queryable, user: NewUser, origin: Origin): Promise<string> {
    const createdAt = this.options.now()
    const id = newId('usr', createdAt)
    const passwordHash = await this.passwords.hash(user.password)
    try {
      await insertUser(transaction, { ...user, id, passwordHash, createdAt })
    } catch (error) {
      if (violates(error, 'users__email_canonical')) throw emailTaken(user.email)
      throw error
    }
    const after = { email: user.email, name: user.name, roles: user.roles }
    await this.audit.recordChange(
      transaction,
      { type: 'user_created', subjectKind: 'user', subjectId: id, data: { after } },
      origin,
    )
    return id
  }
}
