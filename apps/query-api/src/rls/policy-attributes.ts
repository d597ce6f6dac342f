import { isUserValue, type PolicyCondition } from '../project/policy-language.js'

/** What a filter asks about a principal: names of attributes, and `id`, `email` or `roles`; sorted. */
export function attributesOf(filter: PolicyCondition | undefined): string[] {
  return [...new Set(namesIn(filter))].sort()
}

function namesIn(part: unknown): string[] {
  if (isUserValue(part)) return [part.user]
  if (typeof part !== 'object' || part === null) return []
  return Object.values(part).flatMap(namesIn)
}
