/**
 * Every code that may reach a caller, with its HTTP and gRPC status: the only place where the two meet.
 * A code without `message` needs one from whoever throws; one with `message` always says exactly that.
 */
export const ERROR_CODES = {
  /** A body, parameter or header breaks its schema; with details. */
  INVALID_REQUEST: { http: 400, grpc: 3 },
  /** Unknown member, no join path, fan-out …; with details and suggestions. */
  INVALID_QUERY: { http: 400, grpc: 3 },
  UNAUTHORIZED: { http: 401, grpc: 16, message: 'Invalid or missing authentication' },
  FORBIDDEN: { http: 403, grpc: 7, message: 'Insufficient permissions for this resource' },
  /** Absent, or somebody else's: the same answer on purpose. */
  NOT_FOUND: { http: 404, grpc: 5 },
  METHOD_NOT_ALLOWED: { http: 405, grpc: 12 },
  NOT_ACCEPTABLE: { http: 406, grpc: 3 },
  CONFLICT: { http: 409, grpc: 6 },
  /** If-Match names an older revision. */
  PRECONDITION_FAILED: { http: 412, grpc: 9 },
  PAYLOAD_TOO_LARGE: { http: 413, grpc: 8 },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: 3 },
  /** Definitions do not compile; with file and line in the details. */
  INVALID_PROJECT: { http: 422, grpc: 9 },
  RATE_LIMITED: { http: 429, grpc: 8 },
  HEADERS_TOO_LARGE: { http: 431, grpc: 8 },
  INTERNAL: { http: 500, grpc: 13, message: 'Something went wrong on our side' },
  /** Identity, the database or the warehouse does not answer. */
  UNAVAILABLE: { http: 503, grpc: 14 },
  QUERY_TIMEOUT: { http: 504, grpc: 4 },
} as const satisfies Record<string, { http: number; grpc: number; message?: string }>

export type ErrorCode = keyof typeof ERROR_CODES

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text)
}

/** The code for an HTTP status that a framework chose by itself; INTERNAL for one we never use. */
export function codeForHttpStatus(status: number): ErrorCode {
  if (status === 400) return 'INVALID_REQUEST'
  for (const [code, { http }] of Object.entries(ERROR_CODES)) {
    if (http === status && isErrorCode(code)) return code
  }
  return 'INTERNAL'
}
