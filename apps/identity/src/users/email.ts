/** What an e-mail address may look like once it is canonical: plain ASCII, one `@`, a domain of labels. */
const CANONICAL_EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const MAX_EMAIL_LENGTH = 254

/**
 * The one form under which an address is compared: compatibility forms folded (NFKC), lower case. Validated after
 * that, so that look-alike characters cannot become an address later.
 * @returns `undefined` when the text is no e-mail address
 */
export function canonicalEmail(text: string): string | undefined {
  if (text.length > MAX_EMAIL_LENGTH) return undefined
  const canonical = text.normalize('NFKC').toLowerCase()
  return canonical.length <= MAX_EMAIL_LENGTH && CANONICAL_EMAIL.test(canonical)
    ? canonical
    : undefined
}
