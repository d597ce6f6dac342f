import { type Key, KeyStatus } from '@olytix/proto'
import { attributesToWire } from '../users/attributes.js'
import type { KeyRow } from './keys.queries.js'

/** Where a key is in its life at a moment. Revoked outlives all, expired outlives disabled. */
export function keyStatus(
  key: Pick<KeyRow, 'revoked_at' | 'expires_at' | 'disabled_at' | 'rotated_to'>,
  now: Date,
): KeyStatus {
  if (key.revoked_at) return KeyStatus.KEY_STATUS_REVOKED
  if (now >= key.expires_at) return KeyStatus.KEY_STATUS_EXPIRED
  if (key.disabled_at) return KeyStatus.KEY_STATUS_DISABLED
  return key.rotated_to === null ? KeyStatus.KEY_STATUS_ACTIVE : KeyStatus.KEY_STATUS_ROTATING
}

/** A key as the wire carries it: never the key itself. */
export function toKeyMessage(row: KeyRow, now: Date): Key {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    scopes: row.scopes,
    roles: row.roles,
    attributes: attributesToWire(row.attributes),
    allowedIps: row.allowed_ips,
    rateLimit: rateLimitOf(row),
    description: row.description,
    status: keyStatus(row, now),
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at ?? undefined,
    rotatedFrom: row.rotated_from ?? '',
    rotatedTo: row.rotated_to ?? '',
    ownerId: row.owner_id,
  }
}

function rateLimitOf(row: KeyRow): Key['rateLimit'] {
  const { rate_limit_requests: requests, rate_limit_per_seconds: perSeconds } = row
  return requests !== null && perSeconds !== null ? { requests, perSeconds } : undefined
}
