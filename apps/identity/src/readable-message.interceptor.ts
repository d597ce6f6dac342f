import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common'
import { invalidRequest } from '@olytix/errors'
import { UnreadableMessage } from '@olytix/proto'
import type { Observable } from 'rxjs'

/** Refuses a request whose bytes cannot be read, such as text that is not UTF-8; each call checks its own fields. */
@Injectable()
export class ReadableMessageInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.switchToRpc().getData<unknown>() instanceof UnreadableMessage) {
      throw invalidRequest([{ path: '', message: 'The message cannot be read' }])
    }
    return next.handle()
  }
}
