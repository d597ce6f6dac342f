import { withImplied } from '../scopes/scopes.js'
import type { HeldToken } from '../tokens/access-tokens.service.js'
import type { HeldCredential } from './decide.js'

type HeldSessionToken = Exclude<HeldToken, { readonly denialReason: unknown }>

/**
 * An access token as a credential: its user, with the roles, scopes and attributes of this moment. What the token says
 * of roles and scopes decides nothing.
 */
export function heldSession({ session, claims, keyId }: HeldSessionToken): HeldCredential {
  const endsAt = Math.min(claims.exp * 1000, session.expires_at.getTime())
  return {
    id: session.user_id,
    sessionId: session.id,
    kind: 'user',
    email: session.email,
    name: session.name,
    roles: session.roles,
    attributes: session.attributes,
    scopes: withImplied(session.scopes),
    expiresAt: new Date(endsAt),
    // A user who has ended is the truer reason for a session that is over with them.
    isRevoked: session.is_over && !session.user_ended,
    isDisabled: false,
    isUserEnded: session.user_ended,
    isAddressAllowed: true,
    hasAllowList: false,
    rateLimit: null,
    dependsOn: [session.id, session.user_id, ...session.roles.map((name) => `role:${name}`), keyId],
    revision: session.revision,
  }
}
