import type { KeySettings } from './key-life.queries.js'
import type { KeyRow } from './keys.queries.js'

/** The settings of a key that exists. */
export function settingsOf(key: KeyRow): KeySettings {
  const { name, description, scopes, roles, attributes, allowed_ips: allowedIps } = key
  const { rate_limit_requests: requests, rate_limit_per_seconds: perSeconds } = key
  const rateLimit = requests !== null && perSeconds !== null ? { requests, perSeconds } : null
  const disabledAt = key.disabled_at
  return { name, description, scopes, roles, attributes, allowedIps, rateLimit, disabledAt }
}
