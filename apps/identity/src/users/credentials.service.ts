import { Injectable } from '@nestjs/common'
import { unauthorized } from '@olytix/errors'
import { Database, type Queryable } from '@olytix/postgres'
import type { Origin } from '../audit/origin.js'
import {
  type CredentialsRow,
  findCredentialsByEmail,
  findCredentialsById,
  replaceHash,
  setPassword,
} from './credentials.queries.js'
import {
  makeOneTimeToken,
  ONE_TIME_TTL_MS,
  type OneTimePurpose,
  type OneTimeToken,
} from './one-time-token.js'
import {
  deleteExpiredTokens,
  deleteOneTimeTokens,
  findOneTimeToken,
  insertOneTimeToken,
  takeOneTimeToken,
} from './one-time-tokens.queries.js'
import { PasswordsService } from './passwords.service.js'
import { UserTrail } from './user-trail.js'

/** What a user signs in with. */
export type Credentials = CredentialsRow

/** A token that works once, right after it was made: the only moment at which its secret is known. */
export interface IssuedToken {
  readonly secret: string
  readonly expiresAt: Date
}

/** Passwords of users, and the single-use tokens with which they choose one. */
@Injectable()
export class CredentialsService {
  constructor(
    private readonly database: Database,
    private readonly passwords: PasswordsService,
    private readonly trail: UserTrail,
  ) {}

  findByEmail(emailCanonical: string): Promise<Credentials | undefined> {
    return findCredentialsByEmail(this.database, emailCanonical)
  }

  findById(id: string): Promise<Credentials | undefined> {
    return findCredentialsById(this.database, id)
  }

  /**
   * Whether this is the user's password; as long for nobody, and no for whoever has ended. Makes the hash new if its
   * parameters are old.
   * @throws AppError RATE_LIMITED when too many passwords are being hashed
   */
  async isCorrect(user: Credentials | undefined, password: string): Promise<boolean> {
    const known = user?.password_hash ?? null
    const isCorrect = await this.passwords.isCorrect(password, known)
    if (!isCorrect || !user || known === null || user.has_ended) return false
    if (this.passwords.isOutdated(known)) {
      const to = await this.passwords.hash(password)
      await replaceHash(this.database, { userId: user.id, from: known, to })
    }
    return true
  }

  /** @throws AppError RATE_LIMITED when too many passwords are being hashed */
  hash(password: string): Promise<string> {
    return this.passwords.hash(password)
  }

  /** Deletes tokens that have expired. @returns how many of at most `limit` */
  reapTokens(limit: number): Promise<number> {
    return deleteExpiredTokens(this.database, { now: this.trail.now(), limit })
  }

  /** Ends the tokens of a user, in the caller's transaction. */
  voidTokens(transaction: Queryable, userId: string): Promise<void> {
    return deleteOneTimeTokens(transaction, userId)
  }

  /**
   * Changes a password; every session ends with it, and every token that could set another.
   * @param also runs in the same transaction, after the change
   * @throws AppError UNAUTHORIZED when the user has ended or the password was changed meanwhile
   */
  async changePassword(
    { id: userId, credentials_epoch: epoch }: Credentials,
    newPassword: string,
    { origin, also }: { origin: Origin; also: (transaction: Queryable) => Promise<void> },
  ): Promise<void> {
    const passwordHash = await this.passwords.hash(newPassword)
    await this.database.transaction(async (transaction) => {
      const password = { userId, epoch, passwordHash, provenEmail: null, at: this.trail.now() }
      if (!(await setPassword(transaction, password))) throw unauthorized('the user has changed')
      await deleteOneTimeTokens(transaction, userId)
      await also(transaction)
      await this.recordPassword(transaction, userId, { by: 'user', origin })
    })
  }

  /** Makes a token for a user, in the caller's transaction; the one before it ends. */
  async issueToken(
    transaction: Queryable,
    userId: string,
    purpose: OneTimePurpose,
  ): Promise<IssuedToken> {
    const createdAt = this.trail.now()
    const expiresAt = new Date(createdAt.getTime() + ONE_TIME_TTL_MS[purpose])
    const { secret, tokenHash } = makeOneTimeToken(purpose)
    await insertOneTimeToken(transaction, { tokenHash, purpose, userId, createdAt, expiresAt })
    return { secret, expiresAt }
  }

  /** Whose token it is, if it works; it still does afterwards. */
  async findTokenUser(token: OneTimeToken): Promise<Credentials | undefined> {
    const found = await findOneTimeToken(this.database, { ...token, now: this.trail.now() })
    return found && this.findById(found.user_id)
  }

  /**
   * Sets a password with a token, which is used up hereby and proves the address it was made for. Every session ends.
   * @throws AppError UNAUTHORIZED when the token does not work or its user has ended
   */
  async redeem(token: OneTimeToken, newPassword: string, origin: Origin): Promise<void> {
    const passwordHash = await this.passwords.hash(newPassword)
    const now = this.trail.now()
    await this.database.transaction(async (transaction) => {
      const taken = await takeOneTimeToken(transaction, { ...token, now })
      if (!taken) throw unauthorized('no such token')
      const { user_id: userId, email_canonical: provenEmail } = taken
      const password = { userId, epoch: null, passwordHash, provenEmail, at: now }
      if (!(await setPassword(transaction, password))) throw unauthorized('the user has ended')
      await this.recordPassword(transaction, userId, { by: token.purpose, origin })
    })
  }

  private recordPassword(
    transaction: Queryable,
    userId: string,
    { by, origin }: { readonly by: string; readonly origin: Origin },
  ): Promise<void> {
    const what = { type: 'password_changed', id: userId, data: { by } } as const
    return this.trail.recordUserChange(transaction, what, origin)
  }
}
