import { z } from 'zod'
import { Text } from './text.schemas.js'

/** With `redirect_uri` the code goes there, and RFC 7636 is not optional; without it there is nothing else to say. */
export const AuthorizeQuery = z
  .strictObject({
    redirect_uri: Text.min(1).max(2000).optional(),
    state: Text.max(1000).optional(),
    code_challenge: Text.regex(
      /^[\w-]{43}$/,
      'must be the 43 characters of a SHA-256 in base64url (RFC 7636 section 4.2)',
    ).optional(),
    code_challenge_method: z
      .literal('S256', { error: 'must be S256: RFC 7636 section 4.2' })
      .optional(),
  })
  .superRefine((query, check) => {
    const { redirect_uri: redirectUri, ...others } = query
    if (redirectUri === undefined) {
      for (const path of Object.keys(others)) {
        check.addIssue({ code: 'custom', path: [path], message: 'belongs to a redirect_uri' })
      }
      return
    }
    for (const path of ['code_challenge', 'code_challenge_method'] as const) {
      if (query[path] === undefined) {
        check.addIssue({ code: 'custom', path: [path], message: 'is required with a redirect_uri' })
      }
    }
  })

/** As the provider sends it. Identity judges what has this form; other parameters are ignored (RFC 6749 §4.1.2). */
export const CallbackQuery = z.object({
  state: Text.min(1).max(1000),
  code: Text.max(4096).default(''),
  error: Text.max(1000).default(''),
  iss: Text.max(2000).optional(),
})

export const RedeemBody = z.strictObject({
  code: Text.min(1).max(1000),
  code_verifier: Text.min(1).max(128),
})
