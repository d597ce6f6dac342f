import type { Scope } from '@olytix/auth-guards'

/** All scopes, weakest first: the order in which answers list them. */
export const SCOPES = ['read', 'write', 'admin'] as const satisfies readonly Scope[]

/** Built-in roles; each gives its scope, and `developer` reads too. */
const ROLE_OF_SCOPE = { read: 'viewer', write: 'developer', admin: 'admin' } as const

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text)
}

/** Scopes and all they imply: `admin` implies the others, `write` does not imply `read`. Ordered, without repeats. */
export function withImplied(scopes: Iterable<Scope>): readonly Scope[] {
  const held = new Set(scopes)
  return SCOPES.filter((scope) => held.has(scope) || held.has('admin'))
}

/** What remains when each of several grants must agree. No grants at all give nothing. */
export function intersect(grants: readonly (readonly Scope[])[]): readonly Scope[] {
  if (grants.length === 0) return []
  const implied = grants.map((grant) => withImplied(grant))
  return SCOPES.filter((scope) => implied.every((grant) => grant.includes(scope)))
}

/** Scopes of `wanted` that somebody who holds `held` may not give to another. */
export function missingScopes(held: readonly Scope[], wanted: readonly Scope[]): readonly Scope[] {
  const implied = withImplied(held)
  return wanted.filter((scope) => !implied.includes(scope))
}

/** The built-in role of the highest of these scopes. */
export function defaultRole(scopes: readonly Scope[]): string {
  const highest = SCOPES.findLast((scope) => scopes.includes(scope))
  return ROLE_OF_SCOPE[highest ?? 'read']
}
