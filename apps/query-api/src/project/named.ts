/** Things by name. Has no prototype, so that any text may be looked up. */
export type Named<T> = Readonly<Record<string, T>>

/** Collects things by name into an object without prototype. */
export function byName<T extends { readonly name: string }>(things: Iterable<T>): Named<T> {
  return named(Array.from(things, (thing) => [thing.name, thing]))
}

export function named<T>(entries: Iterable<readonly [string, T]>): Named<T> {
  const result: Record<string, T> = Object.create(null) as Record<string, T>
  for (const [name, thing] of entries) result[name] = thing
  return result
}
