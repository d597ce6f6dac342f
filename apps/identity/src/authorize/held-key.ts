import { intersect } from '../scopes/scopes.js'
import { isAllowed } from '../keys/allowed-ips.js'
import type { HeldKey } from '../keys/keys.service.js'
import type { HeldCredential } from './decide.js'

/**
 * An API key as a credential: a principal of its own, whose scopes are those that it, the keys it was made with and
 * its owner's roles have in common at this moment.
 */
export function heldKey(key: HeldKey, clientIp: string | null): HeldCredential {
  const { rate_limit_requests: requests, rate_limit_per_seconds: perSeconds } = key
  return {
    id: key.id,
    sessionId: null,
    kind: 'api_key',
    email: null,
    name: key.name,
    roles: key.roles,
    attributes: key.attributes,
    scopes: intersect([key.scopes, key.owner_scopes, ...key.ancestor_scopes]),
    expiresAt: key.expires_at,
    isRevoked: key.revoked_at !== null,
    isDisabled: key.disabled_at !== null,
    isUserEnded: key.owner_ended,
    isAddressAllowed: key.allowed_ips.length === 0 || isAllowed(clientIp ?? '', key.allowed_ips),
    hasAllowList: key.allowed_ips.length > 0,
    rateLimit: requests !== null && perSeconds !== null ? { requests, perSeconds } : null,
    dependsOn: [
      key.id,
      ...key.ancestor_ids,
      key.owner_id,
      ...new Set([...key.owner_roles, ...key.roles].map((name) => `role:${name}`)),
    ],
    revision: key.revision,
  }
}
