import { printable } from '../output/printable.js'

/** A one-time token with what to do with it. */
export function renderToken(
  title: string,
  email: string,
  token: string,
  expiresAt: string,
): string {
  return `${title}:
Token: ${printable(token)}
For: ${printable(email)}
Expires: ${printable(expiresAt)}

⚠ Hand it over safely. It works once, and it won't be shown again.
They run: olytix-core auth reset-password
`
}
