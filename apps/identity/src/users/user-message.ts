import type { User } from '@olytix/proto'
import { attributesToWire } from './attributes.js'
import type { UserRow } from './users.queries.js'

/** An account as the wire carries it. */
export function toUserMessage(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    roles: row.roles,
    attributes: attributesToWire(row.attributes),
    disabled: row.disabled,
    emailVerified: row.email_verified,
    passwordSet: row.password_set,
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at ?? undefined,
  }
}
