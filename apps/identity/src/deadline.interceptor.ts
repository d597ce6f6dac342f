import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common'
import { unavailable } from '@olytix/errors'
import { type Observable, throwError, timeout } from 'rxjs'

const DEADLINE_MS = 10_000

/** Gives every call an end, also one whose caller set no deadline. */
@Injectable()
export class DeadlineInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      timeout({
        each: DEADLINE_MS,
        with: () => throwError(() => unavailable('The identity service', 'server deadline')),
      }),
    )
  }
}
