import type { Scope } from '@olytix/auth-guards'
import { suggest } from '@olytix/errors'
import type { ListRolesRequest, PutRoleRequest } from '@olytix/proto'
import { z } from 'zod'
import { isScope, SCOPES } from '../scopes/scopes.js'
import { parseMessage, parsePage, plainText } from './message-text.js'
import type { WantedRole } from './roles.service.js'
import { roleNotFound } from './users.errors.js'

const ROLE_NAME = /^[a-z][a-z0-9_-]{0,62}$/

/** The name of a scope; a misspelt one is told the nearest. */
const scopeName = z.string().transform((value, context): Scope => {
  if (isScope(value)) return value
  const message = `must be one of ${SCOPES.join(', ')}`
  context.addIssue({ code: 'custom', message, params: { suggestion: suggest(value, SCOPES) } })
  return z.NEVER
})

const wantedRole = z.object({
  name: z
    .string()
    .regex(ROLE_NAME, 'starts with a-z, goes on with a-z, 0-9, _ and -, at most 63 characters'),
  scopes: z.array(scopeName).max(SCOPES.length, 'names a scope twice'),
  description: plainText.max(1000, 'must have at most 1,000 characters'),
})

/** @throws AppError INVALID_REQUEST with every problem at once */
export function parseRole({ name, scopes, description }: PutRoleRequest): WantedRole {
  const role = parseMessage(wantedRole, { name, scopes, description })
  return { ...role, scopes: SCOPES.filter((scope) => role.scopes.includes(scope)) }
}

/** @throws AppError NOT_FOUND: what cannot be a name is one that does not exist */
export function parseRoleName(name: string): string {
  if (!ROLE_NAME.test(name)) throw roleNotFound()
  return name
}

/** @throws AppError INVALID_REQUEST */
export function parseRolePage(message: ListRolesRequest): {
  readonly pageSize: number
  readonly after: string | null
} {
  return parsePage(message, ROLE_NAME)
}
