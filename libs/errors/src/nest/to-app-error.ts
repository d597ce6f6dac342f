import { HttpException } from '@nestjs/common'
import { AppError } from '../app-error.js'
import { codeForHttpStatus, ERROR_CODES } from '../error-codes.js'

const FRAMEWORK_MESSAGES: Partial<Record<keyof typeof ERROR_CODES, string>> = {
  INVALID_REQUEST: 'The body is not valid JSON',
  NOT_FOUND: 'There is nothing at this address',
  METHOD_NOT_ALLOWED: 'This address does not support that method',
  PAYLOAD_TOO_LARGE: 'The body is larger than allowed',
  UNSUPPORTED_MEDIA_TYPE: 'Send the body as application/json',
  HEADERS_TOO_LARGE: 'The headers are larger than allowed',
}

/** Whatever was thrown, as an AppError. Frameworks' own refusals keep their status; their texts stay in the log. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const status = frameworkStatus(thrown)
  const code = status === undefined ? 'INTERNAL' : codeForHttpStatus(status)
  const fixed = ERROR_CODES[code]
  const message =
    FRAMEWORK_MESSAGES[code] ?? ('message' in fixed ? fixed.message : ERROR_CODES.INTERNAL.message)
  // An INVALID_REQUEST always has details; where a framework refused, the whole body is the place.
  const details = code === 'INVALID_REQUEST' ? [{ path: 'body', message }] : undefined
  return new AppError(code, message, { cause: thrown, ...(details && { details }) })
}

/** Nest throws HttpException, Fastify errors with `statusCode`. A 5xx of theirs is INTERNAL. */
function frameworkStatus(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus()
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined
  const { statusCode } = thrown
  return typeof statusCode === 'number' && statusCode < 500 ? statusCode : undefined
}
