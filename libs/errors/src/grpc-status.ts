import { Metadata, status } from '@grpc/grpc-js'
import { AppError, type ErrorDetail } from './app-error.js'
import { ERROR_CODES, isErrorCode } from './error-codes.js'

const CODE_TRAILER = 'error-code'
const DETAILS_TRAILER = 'error-details-bin'
const RETRY_AFTER = 'retry-after'

const SILENT: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED]

/** A call that failed, as the client sees it; grpc-js gives a ServiceError. */
interface FailedCall {
  readonly code: number
  readonly details: string
  readonly metadata: Metadata
}

/** An AppError as gRPC sends it: status, message, and trailers from which `fromGrpcError` rebuilds it. Of its headers only `Retry-After` travels. */
export function toGrpcError(error: AppError): FailedCall {
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, error.code)
  if (error.details) metadata.set(DETAILS_TRAILER, Buffer.from(JSON.stringify(error.details)))
  const retryAfter = error.headers[RETRY_AFTER]
  if (retryAfter !== undefined) metadata.set(RETRY_AFTER, retryAfter)
  return { code: ERROR_CODES[error.code].grpc, details: error.message, metadata }
}

/**
 * The AppError behind a failed call to one of our services. Without a known trailer, UNAVAILABLE and
 * DEADLINE_EXCEEDED become UNAVAILABLE and all else INTERNAL: no guesses.
 */
export function fromGrpcError(error: FailedCall, service: string): AppError {
  const [code] = error.metadata.get(CODE_TRAILER)
  if (typeof code === 'string' && isErrorCode(code)) {
    const details = readDetails(error.metadata)
    const [retryAfter] = error.metadata.get(RETRY_AFTER)
    return new AppError(code, error.details, {
      cause: error,
      ...(details && { details }),
      ...(typeof retryAfter === 'string' && { headers: { [RETRY_AFTER]: retryAfter } }),
    })
  }
  const silent = SILENT.includes(error.code)
  return silent
    ? new AppError('UNAVAILABLE', `${service} does not answer at the moment; try again`, {
        cause: error,
        headers: { 'retry-after': '1' },
      })
    : new AppError('INTERNAL', ERROR_CODES.INTERNAL.message, { cause: error })
}

function readDetails(metadata: Metadata): ErrorDetail[] | undefined {
  const [bytes] = metadata.get(DETAILS_TRAILER)
  if (bytes === undefined) return undefined
  const parsed: unknown = JSON.parse(bytes.toString())
  return Array.isArray(parsed) ? parsed.filter(isDetail) : undefined
}

function isDetail(value: unknown): value is ErrorDetail {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value
}
