import { invalidRequest } from '@olytix/errors'
import type { CreateUserRequest, ListUsersRequest, UpdateUserRequest } from '@olytix/proto'
import { z } from 'zod'
import { wireAttributes } from './attributes.schema.js'
import { canonicalEmail } from './email.js'
import { parseMessage, parsePage, plainText } from './message-text.js'
import { newPassword } from './password-schema.js'
import { passwordProblem } from './password-rules.js'
import type { UserChanges } from './user-change.js'
import { userNotFound } from './users.errors.js'
import type { NewUser } from './users.service.js'

const USER_ID = /^usr_[0-9a-z]{21}$/
const MAX_ROLES = 50
const DEFAULT_ROLES = ['viewer']

const email = z
  .string()
  .refine((text) => canonicalEmail(text) !== undefined, 'must be an e-mail address')

const user = z.object({
  email,
  name: plainText.max(200, 'must have at most 200 characters'),
  roles: z.array(plainText.max(63)).max(MAX_ROLES, `has at most ${String(MAX_ROLES)} entries`),
  attributes: wireAttributes,
  disabled: z.boolean(),
})

const newUser = user.extend({ password: newPassword.optional() })

/** @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses */
export function parseNewUser(message: CreateUserRequest): {
  readonly user: NewUser
  readonly password: string | undefined
} {
  const { password, ...parsed } = parseMessage(newUser, message)
  const problem = password && passwordProblem(password, [parsed.email, parsed.name])
  if (problem) throw invalidRequest([{ path: 'password', message: `password ${problem}` }])
  const roles = parsed.roles.length > 0 ? [...new Set(parsed.roles)] : DEFAULT_ROLES
  const emailCanonical = canonicalEmail(parsed.email) ?? parsed.email
  return { user: { ...parsed, roles, emailCanonical, emailVerified: false }, password }
}

const changes = user.extend({ email_verified: z.boolean() })
const CHANGEABLE = changes.keyof().options
const changesMask = z
  .array(z.enum(CHANGEABLE, `must be one of ${CHANGEABLE.join(', ')}`))
  .min(1, 'names nothing to change')

/** @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses */
export function parseUserChanges({ change, updateMask }: UpdateUserRequest): UserChanges {
  const { update_mask: names } = parseMessage(z.object({ update_mask: changesMask }), {
    update_mask: updateMask ?? [],
  })
  const values = { ...change, email_verified: change?.emailVerified }
  const named = Object.entries(values).filter(([name]) => names.some((wanted) => wanted === name))
  const parsed = parseMessage(changes.partial(), Object.fromEntries(named))
  const { email_verified: emailVerified, roles, ...rest } = parsed
  return { ...rest, emailVerified, roles: roles && [...new Set(roles)] }
}

/** @throws AppError NOT_FOUND: what cannot be an id is one that does not exist */
export function parseUserId(id: string): string {
  if (!USER_ID.test(id)) throw userNotFound()
  return id
}

/** @throws AppError INVALID_REQUEST */
export function parseUserPage(message: ListUsersRequest): {
  readonly pageSize: number
  readonly after: string | null
} {
  return parsePage(message, USER_ID)
}
