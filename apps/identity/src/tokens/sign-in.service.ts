import { Injectable } from '@nestjs/common'
import { forbidden, invalidRequest, unauthorized } from '@olytix/errors'
import type { Origin, PrincipalOrigin } from '../audit/origin.js'
import { type Credentials, CredentialsService } from '../users/credentials.service.js'
import { canonicalEmail } from '../users/email.js'
import { parseOneTimeToken } from '../users/one-time-token.js'
import { passwordProblem } from '../users/password-rules.js'
import { SessionsService } from './sessions.service.js'
import { type Attempt, ThrottleService } from './throttle.service.js'
import { TokenFactory, type TokenPair } from './token-factory.js'
import type { PasswordChange, PasswordSignIn } from './tokens.schemas.js'

/** Passwords and refresh tokens in, sessions out. */
@Injectable()
export class SignInService {
  constructor(
    private readonly credentials: CredentialsService,
    private readonly throttle: ThrottleService,
    private readonly sessions: SessionsService,
    private readonly factory: TokenFactory,
  ) {}

  /**
   * Signs in with e-mail address and password.
   * @throws AppError UNAUTHORIZED, the same and as late for an unknown address, a wrong password and a disabled user;
   * RATE_LIMITED after too many failures, or while too many others sign in
   */
  async signIn(
    { username, password, userAgent }: PasswordSignIn,
    origin: Origin,
  ): Promise<TokenPair> {
    const email = canonicalEmail(username)
    const attempt = { account: email ?? username, clientIp: origin.clientIp }
    await this.throttle.demandTurn(attempt)
    const user = email === undefined ? undefined : await this.credentials.findByEmail(email)
    const isProven = await this.isProven(attempt, user, { password, origin })
    if (!isProven || !user) throw unauthorized('wrong password')
    const { id: userId, credentials_epoch: epoch } = user
    const proven = { userId, epoch, method: 'password', userAgent }
    const { tokens } = await this.sessions.issueSession(proven, origin)
    return tokens
  }

  /**
   * Rotates a refresh token.
   * @throws AppError UNAUTHORIZED
   */
  async refresh(text: string, origin: Origin): Promise<TokenPair> {
    const token = await this.factory.readRefreshToken(text)
    if (!token) throw unauthorized('no refresh token of ours')
    return this.sessions.refresh(token.parts, token.keyId, origin)
  }

  /** Ends the session of a refresh token, if it is one. */
  async signOut(text: string, origin: Origin): Promise<void> {
    const token = await this.factory.readRefreshToken(text)
    if (token) await this.sessions.endByToken(token.parts, origin)
  }

  /**
   * Changes the caller's own password. Every other session ends.
   * @throws AppError FORBIDDEN when the present password is another or the caller is no user, INVALID_REQUEST for a
   * new one that is about the user, RATE_LIMITED as for signing in
   */
  async changePassword(change: PasswordChange, origin: PrincipalOrigin): Promise<void> {
    const { sessionId } = origin
    const user = await this.credentials.findById(origin.principal.id)
    if (!user || sessionId === null) throw forbidden('not a user with a session')
    const attempt = { account: canonicalEmail(user.email) ?? user.id, clientIp: origin.clientIp }
    await this.throttle.demandTurn(attempt)
    const password = change.currentPassword
    const isProven = await this.isProven(attempt, user, { password, origin })
    if (!isProven) throw forbidden('wrong password')
    demandOwn(change.newPassword, user)
    await this.credentials.changePassword(user, change.newPassword, {
      origin,
      also: (transaction) => this.sessions.keepSession(transaction, sessionId),
    })
  }

  /**
   * Sets a password with a token from an invite or a reset. Every session ends.
   * @throws AppError UNAUTHORIZED when the token does not work, INVALID_REQUEST for a password about the user
   */
  async redeemPasswordToken(text: string, password: string, origin: Origin): Promise<void> {
    const token = parseOneTimeToken(text)
    const user = token && (await this.credentials.findTokenUser(token))
    if (!token || !user) throw unauthorized('no such token')
    demandOwn(password, user)
    await this.credentials.redeem(token, password, origin)
  }

  /** Whether this is the user's password; counted and recorded if it is not. */
  private async isProven(
    attempt: Attempt,
    user: Credentials | undefined,
    { password, origin }: { readonly password: string; readonly origin: Origin },
  ): Promise<boolean> {
    if (await this.credentials.isCorrect(user, password)) {
      await this.throttle.noteSuccess(attempt)
      return true
    }
    const userId = user?.id ?? null
    const reason = user?.has_ended ? 'disabled_user' : user ? 'wrong_password' : 'unknown_user'
    await this.throttle.noteFailure(attempt, { userId, reason, origin })
    return false
  }
}

/** @throws AppError INVALID_REQUEST when a new password is the user's own address or name */
function demandOwn(password: string, { email, name }: Credentials): void {
  const problem = passwordProblem(password, [email, name])
  if (problem === undefined) return
  throw invalidRequest([{ path: 'new_password', message: `new_password ${problem}` }])
}
