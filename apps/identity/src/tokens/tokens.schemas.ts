import { unauthorized } from '@olytix/errors'
import type {
  ChangePasswordRequest,
  IssueTokenRequest,
  ListSessionsRequest,
  RedeemPasswordTokenRequest,
} from '@olytix/proto'
import { z } from 'zod'
import { parseMessage, parsePage, plainText } from '../users/message-text.js'
import { newPassword, presentedPassword } from '../users/password-schema.js'
import { sessionNotFound, signingKeyNotFound } from './tokens.errors.js'

/** Who wants to sign in. */
export interface PasswordSignIn {
  readonly username: string
  readonly password: string
  readonly userAgent: string
}

/** A change of the caller's own password. */
export interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
}

const SESSION_ID = /^ses_[0-9a-z]{21}$/
const SIGNING_KEY_ID = /^sgk_[0-9a-z]{21}$/

const signIn = z.object({
  username: plainText.max(320, 'must have at most 320 characters'),
  password: presentedPassword,
  user_agent: plainText.max(1000, 'must have at most 1,000 characters'),
})

/** @throws AppError INVALID_REQUEST; UNAUTHORIZED when a part is missing: nobody is named nothing */
export function parseSignIn(message: IssueTokenRequest): PasswordSignIn {
  const { username, password, userAgent } = message
  if (username === '' || password === '') throw unauthorized('no username or no password')
  const parsed = parseMessage(signIn, { username, password, user_agent: userAgent })
  return { username, password, userAgent: parsed.user_agent }
}

const passwordChange = z.object({ current_password: presentedPassword, new_password: newPassword })

/** @throws AppError INVALID_REQUEST */
export function parsePasswordChange(message: ChangePasswordRequest): PasswordChange {
  const parsed = parseMessage(passwordChange, {
    current_password: message.currentPassword,
    new_password: message.newPassword,
  })
  return { currentPassword: parsed.current_password, newPassword: parsed.new_password }
}

const redemption = z.object({ token: z.string(), new_password: newPassword })

/** @throws AppError INVALID_REQUEST; UNAUTHORIZED when there is no token */
export function parseRedemption(message: RedeemPasswordTokenRequest): {
  readonly token: string
  readonly password: string
} {
  const { token, newPassword: password } = message
  if (token === '') throw unauthorized('no token')
  parseMessage(redemption, { token, new_password: password })
  return { token, password }
}

/** @throws AppError INVALID_REQUEST */
export function parseSessionPage(message: ListSessionsRequest): {
  readonly pageSize: number
  readonly after: string | null
} {
  return parsePage(message, SESSION_ID)
}

/** @throws AppError NOT_FOUND: what cannot be an id is one that does not exist */
export function parseSessionId(id: string): string {
  if (!SESSION_ID.test(id)) throw sessionNotFound()
  return id
}

/** @throws AppError NOT_FOUND: what cannot be an id is one that does not exist */
export function parseSigningKeyId(id: string): string {
  if (!SIGNING_KEY_ID.test(id)) throw signingKeyNotFound()
  return id
}
