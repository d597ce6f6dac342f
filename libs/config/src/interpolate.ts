/** A `${NAME}` whose variable is not set. */
export interface MissingVariable {
  readonly name: string
}

/**
 * Replaces each `${NAME}` in one scalar value. Values are replaced after parsing, so that a value cannot change
 * the structure of a file. Reports every name that is not set instead of leaving it in place.
 */
export function interpolate(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly missing: readonly MissingVariable[] } {
  const missing: MissingVariable[] = []
  const replaced = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
    const value = environment[name]
    if (value !== undefined) return value
    missing.push({ name })
    return whole
  })
  return { text: replaced, missing }
}
