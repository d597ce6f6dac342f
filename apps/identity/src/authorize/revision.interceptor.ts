import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js'
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common'
import { AppError } from '@olytix/errors'
import { catchError, mergeMap, type Observable } from 'rxjs'
import { AuditService } from '../audit/audit.service.js'
import { originOf } from '../audit/origin.js'

/**
 * Says in the metadata of each call that is passed on for somebody, sign-in included, which revision there is once it is
 * over: a call that is refused may have ended a session all the same. Whoever passed it on then reuses no answer of
 * Authorize that is older, without waiting to hear of the change.
 */
@Injectable()
export class RevisionInterceptor implements NestInterceptor {
  private readonly logger = new Logger('revision')

  constructor(private readonly audit: AuditService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const metadata = context.switchToRpc().getContext<Metadata>()
    if (!originOf(metadata)) return next.handle()
    const call = context.getArgByIndex<ServerUnaryCall<unknown, unknown>>(2)
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        await this.tell(call)
        return answer
      }),
      catchError(async (error: unknown) => {
        // The database does not answer: asking it again would only take longer than the caller waits.
        if (!(error instanceof AppError && error.code === 'UNAVAILABLE')) await this.tell(call)
        throw error
      }),
    )
  }

  /** A courtesy: without it the change is heard of a moment later. */
  private async tell(call: ServerUnaryCall<unknown, unknown>): Promise<void> {
    try {
      const metadata = new Metadata()
      metadata.set('revision', String(await this.audit.revision()))
      call.sendMetadata(metadata)
    } catch (error) {
      this.logger.warn({ event: 'revision_not_told', err: error })
    }
  }
}
