import { ERROR_CODES, type ErrorCode } from './error-codes.js'

/** One problem of a request or project: where, what, and what was probably meant. */
export interface ErrorDetail {
  /** `filters[0].operator`, or a file's path. */
  readonly path: string
  readonly message: string
  readonly suggestion?: string | undefined
  /** Counted from 1; only for problems in files. */
  readonly line?: number | undefined
  readonly column?: number | undefined
}

interface AppErrorOptions {
  readonly details?: readonly ErrorDetail[]
  /** For the log and the audit trail; never sent. */
  readonly cause?: unknown
  /** Response headers that belong to the error: `WWW-Authenticate`, `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The only error that carries a message for the person who calls. Anything else that is thrown reaches them as
 * INTERNAL. Make a new one per throw: a shared error object leaks between requests.
 */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: readonly ErrorDetail[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.details = options.details
    this.headers = options.headers ?? {}
  }

  /** `{"error":{"code","message"[,"details"]}}`: the body of the REST API. */
  toBody(): { error: { code: ErrorCode; message: string; details?: readonly ErrorDetail[] } } {
    const { code, message, details } = this
    return { error: details ? { code, message, details } : { code, message } }
  }
}

/** 401 in its one documented form. `cause` says why, for the log only. */
export function unauthorized(cause: string, headers: Record<string, string> = {}): AppError {
  return new AppError('UNAUTHORIZED', ERROR_CODES.UNAUTHORIZED.message, { cause, headers })
}

/** 403 in its one documented form. `cause` says why, for the log only. */
export function forbidden(cause: string, headers: Record<string, string> = {}): AppError {
  return new AppError('FORBIDDEN', ERROR_CODES.FORBIDDEN.message, { cause, headers })
}

/** 400 for something that breaks its schema, all problems at once. */
export function invalidRequest(details: readonly ErrorDetail[]): AppError {
  return new AppError('INVALID_REQUEST', summary(details, 'The request is not valid'), { details })
}

/** 400 for a well-formed question that cannot be answered, all problems at once. */
export function invalidQuery(details: readonly ErrorDetail[]): AppError {
  return new AppError('INVALID_QUERY', summary(details, 'The query is not valid'), { details })
}

/** 503: what was needed did not answer. */
export function unavailable(what: string, cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', `${what} does not answer at the moment; try again`, {
    cause,
    headers: { 'retry-after': '1' },
  })
}

function summary(details: readonly ErrorDetail[], fallback: string): string {
  const [first] = details
  if (!first) return fallback
  const more = details.length > 1 ? ` (and ${String(details.length - 1)} more)` : ''
  return `${first.path ? `${first.path}: ` : ''}${first.message}${more}`
}
