import type { Principal } from '@olytix/auth-guards'
import { forbidden } from '@olytix/errors'

/**
 * Who is asking, as settings of the transaction, for row security of the database's own: `olytix.user_id`,
 * `olytix.user_email`, `olytix.roles` and `olytix.attributes.<name>`, lists as JSON. What the principal has not is not set.
 * @throws AppError FORBIDDEN for an attribute that PostgreSQL cannot hold
 */
export function principalSettings(principal: Principal): Readonly<Record<string, string>> {
  const attributes = Object.entries(principal.attributes).map(([name, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    if (
      !/^[a-z_][a-z0-9_]{0,62}$/.test(name) ||
      text.includes('\0') ||
      /\p{Surrogate}/u.test(text)
    ) {
      throw forbidden(`attribute ${JSON.stringify(name)} of ${principal.id} cannot be passed on`)
    }
    return [`olytix.attributes.${name}`, text] as const
  })
  return {
    'olytix.user_id': principal.id,
    ...(principal.email === null ? {} : { 'olytix.user_email': principal.email }),
    'olytix.roles': JSON.stringify(principal.roles),
    ...Object.fromEntries(attributes),
  }
}
