/** How a credential may arrive. */
export type CredentialSource = 'header' | 'query_parameter'

/** A credential as somebody presented it; nothing is known about it yet. */
export interface Credential {
  readonly text: string
  readonly source: CredentialSource
}

/** What a request says about who sent it: nothing, one credential, or something that cannot be read. */
export type Presented =
  | { readonly kind: 'absent' }
  | { readonly kind: 'credential'; readonly credential: Credential }
  | { readonly kind: 'malformed'; readonly reason: string }

interface RequestParts {
  /** Names and values in turn, as Node gives them: it silently drops a second `Authorization` from `headers`. */
  readonly rawHeaders: readonly string[]
  readonly query: unknown
}

/** Longest credential that is looked at, in characters. */
const MAX_LENGTH = 8192

/**
 * Finds the one credential of a request: `Authorization: Bearer …` (RFC 6750 §2.1; the scheme in any case) or the
 * query parameter `api_key`. Total: every input gives one of the three answers. Two ways at once are malformed
 * (RFC 6750 §2), and so is anything that a header or an URL may not hold.
 */
export function presentedCredential(request: RequestParts): Presented {
  const headers = authorizationHeaders(request.rawHeaders)
  const inQuery = apiKeyParameter(request.query)
  if (headers.length > 1) return malformed('more than one Authorization header')
  if (headers[0] !== undefined && inQuery !== undefined) {
    return malformed('a credential both in the Authorization header and in the query string')
  }
  if (inQuery !== undefined) return fromQuery(inQuery)
  return headers[0] === undefined ? { kind: 'absent' } : fromHeader(headers[0])
}

function authorizationHeaders(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  )
}

function apiKeyParameter(query: unknown): unknown {
  if (typeof query !== 'object' || query === null) return undefined
  const entry = Object.entries(query).find(([name]) => /^api_key(\[.*)?$/.test(name))
  // `api_key[]=…` is a list that some clients write; it is malformed, not ignored.
  return entry && entry[0] !== 'api_key' ? [entry[1]] : entry?.[1]
}

function fromQuery(value: unknown): Presented {
  if (typeof value !== 'string') return malformed('the query parameter api_key more than once')
  if (value === '') return { kind: 'absent' }
  if (!isPlain(value)) return malformed('a query parameter api_key with characters no key has')
  return { kind: 'credential', credential: { text: value, source: 'query_parameter' } }
}

function fromHeader(value: string): Presented {
  if (!isPlain(value)) return malformed('an Authorization header with characters it may not hold')
  const match = /^([A-Za-z0-9-]+)(?: +(.*))?$/.exec(value)
  if (value.trim() === '' || !match)
    return value.trim() === '' ? { kind: 'absent' } : unreadable(value)
  const [, scheme = '', text = ''] = match
  if (scheme.toLowerCase() !== 'bearer' || text === '') return { kind: 'absent' }
  if (text.includes(',')) return malformed('an Authorization header with more than one credential')
  return { kind: 'credential', credential: { text, source: 'header' } }
}

function unreadable(value: string): Presented {
  return malformed(
    `an Authorization header that is not "Bearer <credential>" (${String(value.length)} characters)`,
  )
}

/** Visible ASCII and blanks only, and not endless. Tabs, control characters and other alphabets are out. */
function isPlain(value: string): boolean {
  return value.length <= MAX_LENGTH && /^[\x20-\x7e]*$/.test(value)
}

function malformed(reason: string): Presented {
  return { kind: 'malformed', reason }
}
