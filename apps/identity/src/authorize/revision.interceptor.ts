import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js'
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common'
import { catchError, mergeMap, type Observable } from 'rxjs'
import { AuditService } from '../audit/audit.service.js'
import { originOf } from '../audit/origin.js'

/**
 * Says in the metadata of each management call, also of one that fails, which revision there is once it is over.
 * Whoever passed the call on then reuses no answer of Authorize that is older, without waiting to hear of the change.
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
        await this.tell(call)
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
