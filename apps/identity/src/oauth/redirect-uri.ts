/** RFC 8252 section 7.3: an address of this machine by number, never by name, whose port an app picks as it starts. */
const LOOPBACK =
  /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([1-9]\d{0,4}))?(\/[\x21\x22\x24-\x5b\x5d-\x7e]*)?$/
const MAX_PORT = 65_535

/**
 * Whether a one-time code may be sent there: character by character one of the registered addresses. Only the port of
 * an address of this machine may be another than the registered one.
 */
export function isRegistered(redirectUri: string, registered: readonly string[]): boolean {
  if (registered.includes(redirectUri)) return true
  const wanted = withoutPort(redirectUri)
  return wanted !== undefined && registered.some((known) => withoutPort(known) === wanted)
}

/** The own sign-in page counts as registered if it lies where the callback does, which the service itself is. */
export function isOwnPage(redirectUri: string, loginUrl: string, callbackUrl: string): boolean {
  return redirectUri === loginUrl && URL.parse(loginUrl)?.origin === URL.parse(callbackUrl)?.origin
}

/** An address with parameters added: nothing that stands there already is changed. */
export function withParameters(
  redirectUri: string,
  parameters: Readonly<Record<string, string | null>>,
): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => {
    return entry[1] !== null
  })
  const separator = redirectUri.includes('?') ? '&' : '?'
  return `${redirectUri}${separator}${new URLSearchParams(given).toString()}`
}

/** An address of this machine without its port; `undefined` for any other. */
function withoutPort(uri: string): string | undefined {
  const [, host, port = '1', path = ''] = LOOPBACK.exec(uri) ?? []
  return host !== undefined && Number(port) <= MAX_PORT ? `${host}${path}` : undefined
}
