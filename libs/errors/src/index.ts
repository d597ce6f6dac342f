export {
  AppError,
  type ErrorDetail,
  forbidden,
  invalidQuery,
  invalidRequest,
  unauthorized,
  unavailable,
} from './app-error.js'
export { codeForHttpStatus, ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.js'
export { suggest } from './suggest.js'
