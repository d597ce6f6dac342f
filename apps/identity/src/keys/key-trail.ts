import type { KeyRow } from './keys.queries.js'

/** A key as the audit trail keeps it: settings and end, never the key itself. */
export function describeKey(key: KeyRow): Readonly<Record<string, unknown>> {
  const { name, description, scopes, roles, attributes, allowed_ips, expires_at } = key
  const { rate_limit_requests: requests, rate_limit_per_seconds: per_seconds } = key
  const rate_limit = requests === null ? null : { requests, per_seconds }
  const disabled = key.disabled_at !== null
  return {
    name,
    description,
    scopes,
    roles,
    attributes,
    allowed_ips,
    rate_limit,
    disabled,
    expires_at,
  }
}

/** Only what differs, before and after; `undefined` if nothing does. */
export function changedParts(
  before: KeyRow,
  after: KeyRow,
): { readonly before: object; readonly after: object } | undefined {
  const [was, is] = [describeKey(before), describeKey(after)]
  const names = Object.keys(was).filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  )
  const pick = (from: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(names.map((name) => [name, from[name]]))
  return names.length === 0 ? undefined : { before: pick(was), after: pick(is) }
}
