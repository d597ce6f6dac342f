import { type AppError, unauthorized, unavailable } from '@olytix/errors'

/** A provider that gives no usable answer: down, slow, out of order, or at an address we do not call. */
export class ProviderUnreachable extends Error {
  constructor(readonly reason: string) {
    super(reason)
    this.name = 'ProviderUnreachable'
  }
}

/** A provider that answered, and whose answer we do not believe. */
export class ProviderMistrusted extends Error {
  constructor(readonly reason: string) {
    super(reason)
    this.name = 'ProviderMistrusted'
  }
}

/** Codes of openid-client for answers and metadata that cannot be used at all. */
const OUT_OF_ORDER: ReadonlySet<unknown> = new Set([
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'OAUTH_TIMEOUT',
  'OAUTH_HTTP_REQUEST_FORBIDDEN',
  'OAUTH_REQUEST_PROTOCOL_FORBIDDEN',
  'OAUTH_MISSING_SERVER_METADATA',
  'OAUTH_INVALID_SERVER_METADATA',
])
/** Error classes of openid-client, whose messages are constant texts. What they carry besides holds tokens. */
const LIBRARY_ERRORS: ReadonlySet<string> = new Set([
  'ClientError',
  'OperationProcessingError',
  'UnsupportedOperationError',
  'ResponseBodyError',
  'AuthorizationResponseError',
  'WWWAuthenticateChallengeError',
])

/**
 * What went wrong with a provider, for who signs in: 503 when it gave no usable answer, 401 when the answer is not to be
 * believed. The cause is a sentence without anything that the provider sent but an error code.
 */
export function toRefusal(provider: string, error: unknown): AppError {
  const chain = causesOf(error)
  const cause = `provider ${provider}: ${describe(chain.at(-1))}`
  return chain.some(isOutOfOrder) ? unavailable('The sign-in provider', cause) : unauthorized(cause)
}

/** The same from anything that can go wrong before a provider is known to be in order. */
export function toUnreachable(error: unknown): ProviderUnreachable {
  const found = causesOf(error).find((each) => each instanceof ProviderUnreachable)
  return found ?? new ProviderUnreachable('its discovery document is not usable')
}

/** The error and what caused it, as far as its texts are known to be harmless. */
function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  let current = error
  while (isError(current) && chain.length < 5 && isKnown(current)) {
    chain.push(current)
    current = current.cause
  }
  return chain
}

/** By shape: errors of Node come from another realm in tests. */
function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value
}

function isKnown(error: Error): boolean {
  return (
    error instanceof ProviderUnreachable ||
    error instanceof ProviderMistrusted ||
    LIBRARY_ERRORS.has(error.name)
  )
}

function isOutOfOrder(error: Error): boolean {
  return error instanceof ProviderUnreachable || OUT_OF_ORDER.has(codeOf(error))
}

function describe(error: Error | undefined): string {
  if (error === undefined) return 'an unexpected error'
  if (error instanceof ProviderUnreachable || error instanceof ProviderMistrusted) {
    return error.reason
  }
  const said = 'error' in error ? error.error : undefined
  const code = typeof said === 'string' && /^[a-z_]{1,40}$/.test(said) ? ` (${said})` : ''
  return `${error.message}${code}`
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined
}
