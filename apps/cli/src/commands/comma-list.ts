import { InvalidArgumentError } from 'commander'

/** `a,b` and repeated options as one list without doubles; for commander's option parsers. */
export function collectList(text: string, before: readonly string[] = []): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim())
  if (entries.includes('')) throw new InvalidArgumentError('Expected names separated by commas.')
  return [...new Set([...before, ...entries])]
}

/** Repeated options as a list, each parsed by `parse`. */
export function collect<T>(
  parse: (text: string) => T,
): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, parse(text)]
}
