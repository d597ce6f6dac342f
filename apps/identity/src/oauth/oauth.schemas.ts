import type { BeginSignInRequest, FinishSignInRequest, RedeemCodeRequest } from '@olytix/proto'
import { z } from 'zod'
import { parseMessage, plainText } from '../users/message-text.js'
import type { WantedSignIn } from './begin-sign-in.service.js'
import type { PresentedCode } from './codes.service.js'
import type { Callback } from './identification.service.js'
import { malformedCallback, notProven } from './oauth.errors.js'

const MAX_URL = 2000
const CODE = /^code_[A-Za-z0-9_-]{43}$/
/** RFC 7636 section 4.1. */
const CODE_VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/

/** It is repeated in the audit trail, whoever it names. */
const provider = plainText.max(63, 'must have at most 63 characters')
const userAgent = plainText.max(1000, 'must have at most 1,000 characters')
const pageUrl = plainText
  .max(MAX_URL, 'must have at most 2,000 characters')
  .regex(/^https?:\/\//, 'must be an http:// or https:// address')
  .refine((text) => URL.canParse(text), 'must be an http:// or https:// address')
const text = plainText.max(8192, 'must have at most 8,192 characters')

const beginning = z
  .object({
    provider,
    callback_url: pageUrl,
    login_url: pageUrl,
    redirect_uri: plainText.max(MAX_URL, 'must have at most 2,000 characters'),
    state: plainText.max(1000, 'must have at most 1,000 characters'),
    code_challenge: z
      .string()
      .regex(/^([A-Za-z0-9_-]{43})?$/, 'must be a SHA-256 in base64url: 43 characters'),
  })
  .superRefine(({ redirect_uri, state, code_challenge }, context) => {
    const problem = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message })
    }
    if (redirect_uri === '') {
      if (state !== '') problem('state', 'has no meaning without redirect_uri')
      if (code_challenge !== '') problem('code_challenge', 'has no meaning without redirect_uri')
    } else if (code_challenge === '') problem('code_challenge', 'is required with redirect_uri')
  })

/** @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses */
export function parseBeginning(message: BeginSignInRequest): WantedSignIn {
  const parsed = parseMessage(beginning, {
    ...message,
    callback_url: message.callbackUrl,
    login_url: message.loginUrl,
    redirect_uri: message.redirectUri,
    code_challenge: message.codeChallenge,
  })
  const { redirect_uri: redirectUri, state, code_challenge: codeChallenge } = parsed
  const client = redirectUri === '' ? null : { redirectUri, state: state || null, codeChallenge }
  const { callback_url: callbackUrl, login_url: loginUrl } = parsed
  return { provider: parsed.provider, callbackUrl, loginUrl, client }
}

const callback = z.object({
  provider,
  browser_secret: text,
  state: text,
  code: text,
  error: text,
  iss: text.optional(),
  user_agent: userAgent,
})

/** @throws AppError INVALID_REQUEST also for a callback with both code and error, or neither */
export function parseCallback(message: FinishSignInRequest): Callback {
  const parsed = parseMessage(callback, {
    ...message,
    browser_secret: message.browserSecret,
    user_agent: message.userAgent,
  })
  const { state, code, error, iss } = parsed
  if (state === '' || (code === '') === (error === '')) throw malformedCallback(parsed.provider)
  const { browser_secret: browserSecret, user_agent } = parsed
  return {
    provider: parsed.provider,
    browserSecret,
    state,
    code: code || undefined,
    error: error || undefined,
    iss,
    userAgent: user_agent,
  }
}

/** @throws AppError INVALID_REQUEST for the user agent; UNAUTHORIZED for what cannot be a code */
export function parseCode(message: RedeemCodeRequest): PresentedCode {
  const { code, codeVerifier } = message
  const parsed = parseMessage(z.object({ user_agent: userAgent }), {
    user_agent: message.userAgent,
  })
  if (!CODE.test(code)) throw notProven('unknown_code')
  if (!CODE_VERIFIER.test(codeVerifier)) throw notProven('wrong_code_verifier')
  return { code, codeVerifier, userAgent: parsed.user_agent }
}
