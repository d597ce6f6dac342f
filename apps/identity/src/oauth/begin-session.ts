import { AppError } from '@olytix/errors'
import type { Origin } from '../audit/origin.js'
import type { BegunSession, SessionsService, SignIn } from '../tokens/sessions.service.js'
import { refused } from './oauth.errors.js'

/**
 * Begins the session of somebody whom a provider has confirmed.
 * @throws AppError UNAUTHORIZED, marked for the audit trail, when the account has changed meanwhile
 */
export async function beginSession(
  sessions: SessionsService,
  signIn: SignIn,
  origin: Origin,
): Promise<BegunSession> {
  try {
    return await sessions.issueSession(signIn, origin)
  } catch (error) {
    const isRefused = error instanceof AppError && error.code === 'UNAUTHORIZED'
    throw isRefused ? refused(error, 'user_changed', { userId: signIn.userId }) : error
  }
}
