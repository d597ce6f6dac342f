import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { ERROR_CODES } from '../error-codes.js'
import { toAppError } from './to-app-error.js'

/** Writes every error of an HTTP app in the one documented shape; causes go to the log only. */
@Catch()
export class HttpErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('errors')

  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = toAppError(thrown)
    const { http } = ERROR_CODES[error.code]
    if (http >= 500) this.logger.error({ code: error.code, err: error.cause ?? thrown })
    else this.logger.debug({ code: error.code, cause: error.cause ?? error.message })
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    if (reply.sent) return
    // RFC 9110 §11.6.1: a 401 names a scheme. Whoever knows more said so in the error's own headers.
    if (http === 401) reply.header('www-authenticate', 'Bearer realm="olytix-core"')
    void reply.status(http).headers(error.headers).type('application/json').send(error.toBody())
  }
}
