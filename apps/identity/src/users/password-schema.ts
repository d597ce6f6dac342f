import { z } from 'zod'
import { MAX_PASSWORD_BYTES, passwordProblem } from './password-rules.js'

/** A password to be compared: whatever it is, it is not long enough to keep us busy. */
export const presentedPassword = z
  .string()
  .refine(
    (text) => Buffer.byteLength(text) <= MAX_PASSWORD_BYTES,
    `must be at most ${MAX_PASSWORD_BYTES.toLocaleString('en')} bytes long`,
  )

/** A password to be set. Whether it is about its user is not known yet. */
export const newPassword = z.string().superRefine((password, context) => {
  const problem = passwordProblem(password)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})
