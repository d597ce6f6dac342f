import { Injectable } from '@nestjs/common'
import { invalidRequest } from '@olytix/errors'
import { Database, newId, type Queryable, violates } from '@olytix/postgres'
import type { Origin } from '../audit/origin.js'
import { CredentialsService, type IssuedToken } from './credentials.service.js'
import { RolesService } from './roles.service.js'
import { changedParts, changedUser, describeUser, type UserChanges } from './user-change.js'
import { UserTrail } from './user-trail.js'
import { emailTaken, userNotFound } from './users.errors.js'
import {
  deleteUser,
  findUser,
  findUserForUpdate,
  insertUser,
  listUsers,
  type NewUserRow,
  replaceUserRoles,
  updateUser,
  type UserRow,
} from './users.queries.js'

/** What a new account needs. All of it is checked already, but whether the roles exist. */
export type NewUser = Omit<NewUserRow, 'id' | 'passwordHash' | 'createdAt'>

/** A new account, its password hashed. */
export type PreparedUser = Omit<NewUserRow, 'id' | 'createdAt'>

/** Which account changes, and how. */
interface UserChange {
  readonly id: string
  readonly changes: UserChanges
  readonly by?: string
}

/** Accounts of people. */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly roles: RolesService,
    private readonly credentials: CredentialsService,
    private readonly trail: UserTrail,
  ) {}

  /**
   * Makes an account. Without a password its user is given a token to choose one with.
   * @throws AppError CONFLICT when the address has an account already, INVALID_REQUEST for an unknown role
   */
  async createUser(
    user: NewUser,
    password: string | undefined,
    origin: Origin,
  ): Promise<{ readonly user: UserRow; readonly invite: IssuedToken | null }> {
    const prepared = await this.prepare(user, password)
    return this.database.transaction(async (transaction) => {
      await this.demandRoles(transaction, user.roles)
      const id = await this.insertUser(transaction, prepared, origin)
      const isInvited = prepared.passwordHash === null
      const invite = isInvited ? await this.credentials.issueToken(transaction, id, 'invite') : null
      const created = await findUser(transaction, id)
      if (!created) throw new Error('a user who was just inserted is gone')
      return { user: created, invite }
    })
  }

  /** Hashes the password of a new account: what takes long, before the transaction that writes it. */
  async prepare(user: NewUser, password: string | undefined): Promise<PreparedUser> {
    const passwordHash = password === undefined ? null : await this.credentials.hash(password)
    return { ...user, passwordHash }
  }

  /**
   * Writes an account, in the caller's transaction.
   * @returns its id
   * @throws AppError CONFLICT when the address has an account already
   */
  async insertUser(transaction: Queryable, user: PreparedUser, origin: Origin): Promise<string> {
    const createdAt = this.trail.now()
    const id = newId('usr', createdAt)
    await withTakenEmail(user.email, insertUser(transaction, { ...user, id, createdAt }))
    const { email, emailVerified, name, roles, attributes, disabled } = user
    const after = { email, email_verified: emailVerified, name, roles, attributes, disabled }
    const data = { after }
    await this.trail.recordUserChange(transaction, { type: 'user_created', id, data }, origin)
    return id
  }

  /** Newest first. @returns one page and, unless it is the last, the id to go on from */
  async listUsers(
    pageSize: number,
    beforeId: string | null,
  ): Promise<{ readonly users: readonly UserRow[]; readonly nextId: string | null }> {
    const rows = await listUsers(this.database, { beforeId, limit: pageSize + 1 })
    const users = rows.slice(0, pageSize)
    return { users, nextId: rows.length > pageSize ? (users.at(-1)?.id ?? null) : null }
  }

  /** @throws AppError NOT_FOUND */
  async getUser(id: string): Promise<UserRow> {
    const user = await findUser(this.database, id)
    if (!user) throw userNotFound()
    return user
  }

  /**
   * Changes an account. Switching it off ends every session at once; another address is unproved and voids tokens that
   * were made for the old one.
   * @throws AppError NOT_FOUND; CONFLICT when the address is taken or no admin would be left; INVALID_REQUEST for an
   * unknown role
   */
  async updateUser(id: string, changes: UserChanges, origin: Origin): Promise<UserRow> {
    return this.database.transaction((transaction) =>
      this.changeUser(transaction, { id, changes }, origin),
    )
  }

  /**
   * The same in the caller's transaction.
   * @param change `by` is for the audit trail when no principal makes it: `oauth:google`
   * @throws AppError as `updateUser`
   */
  changeUser(
    transaction: Queryable,
    { id, changes, by }: UserChange,
    origin: Origin,
  ): Promise<UserRow> {
    return this.roles.keepingAnAdmin(transaction, async () => {
      const before = await findUserForUpdate(transaction, id)
      if (!before) throw userNotFound()
      const row = changedUser(before, changes, this.trail.now())
      await withTakenEmail(row.email, updateUser(transaction, row))
      if (row.emailCanonical !== before.email_canonical) {
        await this.credentials.voidTokens(transaction, id)
      }
      if (changes.roles) {
        await this.demandRoles(transaction, changes.roles)
        await replaceUserRoles(transaction, id, changes.roles)
      }
      const after = await findUser(transaction, id)
      if (!after) throw new Error('a user who is locked is gone')
      const type = row.endsSessions ? 'user_disabled' : 'user_updated'
      const data = { ...changedParts(before, after), ...(by !== undefined && { by }) }
      await this.trail.recordUserChange(transaction, { type, id, data }, origin)
      return after
    })
  }

  /**
   * Deletes an account for good; its address may be used again. Everything it could sign in with stops at once.
   * @throws AppError NOT_FOUND; CONFLICT when no admin would be left
   */
  async deleteUser(id: string, origin: Origin): Promise<void> {
    await this.database.transaction((transaction) =>
      this.roles.keepingAnAdmin(transaction, async () => {
        const before = await findUserForUpdate(transaction, id)
        if (!before) throw userNotFound()
        await deleteUser(transaction, id, this.trail.now())
        await this.credentials.voidTokens(transaction, id)
        const data = { before: describeUser(before) }
        await this.trail.recordUserChange(transaction, { type: 'user_deleted', id, data }, origin)
      }),
    )
  }

  /**
   * Issues a token with which the user chooses a new password. Until it is used nothing else changes.
   * @throws AppError NOT_FOUND
   */
  async resetPassword(id: string, origin: Origin): Promise<IssuedToken> {
    return this.database.transaction(async (transaction) => {
      if (!(await findUserForUpdate(transaction, id))) throw userNotFound()
      const token = await this.credentials.issueToken(transaction, id, 'reset')
      const data = { password_reset: 'issued', expires_at: token.expiresAt }
      await this.trail.recordUser(transaction, { type: 'user_updated', id, data }, origin)
      return token
    })
  }

  private async demandRoles(transaction: Queryable, names: readonly string[]): Promise<void> {
    const unknown = await this.roles.unknownRoles(transaction, names)
    if (unknown.length > 0) throw invalidRequest(unknown)
  }
}

async function withTakenEmail(email: string, statement: Promise<void>): Promise<void> {
  try {
    await statement
  } catch (error) {
    if (violates(error, 'users__email_canonical')) throw emailTaken(email)
    throw error
  }
}
