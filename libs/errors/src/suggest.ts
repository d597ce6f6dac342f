import { distance } from 'fastest-levenshtein'

/**
 * The candidate that was probably meant, by edit distance, if one is near enough (a third of the letters, at least 2).
 * Upper and lower case do not count. Longer texts than any name are not compared.
 */
export function suggest(wrong: string, candidates: Iterable<string>): string | undefined {
  if (wrong.length > 200) return undefined
  const target = wrong.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(wrong.length / 3)) + 1
  for (const candidate of candidates) {
    const away = distance(target, candidate.toLowerCase())
    if (away < bestDistance) {
      best = candidate
      bestDistance = away
    }
  }
  return best
}
