import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common'
import { type Observable, throwError } from 'rxjs'
import { ERROR_CODES } from '../error-codes.js'
import { toGrpcError } from '../grpc-status.js'
import { toAppError } from './to-app-error.js'

/** Turns every error of a gRPC app into status, message and trailers; causes go to the log only. */
@Catch()
export class GrpcErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('errors')

  catch(thrown: unknown, _host: ArgumentsHost): Observable<never> {
    const error = toAppError(thrown)
    if (ERROR_CODES[error.code].http >= 500) {
      this.logger.error({ code: error.code, err: error.cause ?? thrown })
    }
    return throwError(() => toGrpcError(error))
  }
}
