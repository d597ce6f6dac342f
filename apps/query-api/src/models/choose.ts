import { quote } from '@olytix/config/yaml'
import { AppError, suggest } from '@olytix/errors'

/** What of a project can be chosen, and how. */
interface Choice<T> {
  /** `seed` */
  readonly what: string
  readonly all: readonly T[]
  /** Those that choose it. */
  readonly wordsOf: (thing: T) => readonly string[]
}

/**
 * The things that at least one of the words chooses, in their order; all of them without words.
 * @throws AppError INVALID_REQUEST for each word that chooses nothing
 */
export function choose<T>(
  { what, all, wordsOf }: Choice<T>,
  words: readonly string[],
): readonly T[] {
  if (words.length === 0) return all
  const known = new Set(all.flatMap(wordsOf))
  const problems = words.flatMap((word, index) => {
    if (known.has(word)) return []
    const message = `${quote(word)} chooses no ${what}`
    return [{ path: `select[${String(index)}]`, message, suggestion: suggest(word, known) }]
  })
  const [first] = problems
  if (first) throw new AppError('INVALID_REQUEST', first.message, { details: problems })
  return all.filter((thing) => wordsOf(thing).some((word) => words.includes(word)))
}
