import { AppError, type ErrorCode, forbidden, invalidRequest, unauthorized } from '@olytix/errors'
import { markRefusal } from '../audit/refusal.js'

/** Why an account lets nobody in. */
export type AccountRefusal =
  | 'no_address'
  | 'unverified_address'
  | 'unverified_account'
  | 'another_identity'
  | 'domain_not_allowed'
  | 'disabled_user'
  | 'last_admin'
  | 'address_taken'

/** Why a sign-in was refused; a closed list. For the audit trail, never for the person who was refused. */
export type SignInRefusal =
  | AccountRefusal
  | 'redirect_uri_not_registered'
  | 'too_many_sign_ins'
  | 'malformed_callback'
  | 'unknown_state'
  | 'expired_state'
  | 'another_provider'
  | 'another_browser'
  | 'refused_by_provider'
  | 'provider_answer_rejected'
  | 'provider_unavailable'
  | 'unknown_code'
  | 'expired_code'
  | 'reused_code'
  | 'wrong_code_verifier'
  | 'user_changed'

interface Known {
  readonly provider?: string | undefined
  readonly userId?: string | undefined
  /** A sentence without anything that a provider sent but an error code: see `toRefusal`. */
  readonly cause?: unknown
}

/** 401: the proof does not hold. */
export function notProven(reason: SignInRefusal, known: Known = {}): AppError {
  return refused(unauthorized(reason), reason, known)
}

/** 403: the person has proved who they are, and may not. */
export function notAllowed(reason: AccountRefusal, known: Known = {}): AppError {
  return refused(forbidden(reason), reason, known)
}

/** Marks any error for the audit trail. @returns the same */
export function refused(
  error: AppError,
  reason: SignInRefusal,
  { provider, userId, cause }: Known = {},
): AppError {
  const data = {
    ...(provider && { provider }),
    ...(userId && { user_id: userId }),
    ...(typeof cause === 'string' && { cause }),
  }
  return markRefusal(error, { reason, data })
}

export function redirectUriNotRegistered(provider: string): AppError {
  const message = 'redirect_uri is not one of security.oauth.redirect_uris'
  const error = invalidRequest([{ path: 'redirect_uri', message }])
  return refused(error, 'redirect_uri_not_registered', { provider })
}

export function malformedCallback(provider: string): AppError {
  const message = 'The callback needs state and either code or error'
  return refused(invalidRequest([{ path: '', message }]), 'malformed_callback', { provider })
}

/** @param afterSeconds when it is worth trying again */
export function tooManySignIns(provider: string, afterSeconds: number): AppError {
  const message = 'Too many sign-ins are under way from your network; finish one or try again later'
  const headers = { 'retry-after': String(afterSeconds) }
  return refused(new AppError('RATE_LIMITED', message, { headers }), 'too_many_sign_ins', {
    provider,
  })
}

/** What a provider says, its failures marked for the audit trail. */
export async function heard<T>(
  provider: string,
  ask: () => Promise<T>,
  rejection: 'provider_answer_rejected' | 'refused_by_provider' = 'provider_answer_rejected',
): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const reason = error.code === 'UNAVAILABLE' ? 'provider_unavailable' : rejection
    throw refused(error, reason, { provider, cause: error.cause })
  }
}

/** RFC 6749 section 4.1.2.1: what a client is told by a redirect. */
export function redirectError(code: ErrorCode): string {
  if (code === 'UNAUTHORIZED' || code === 'FORBIDDEN') return 'access_denied'
  return code === 'UNAVAILABLE' ? 'temporarily_unavailable' : 'server_error'
}
