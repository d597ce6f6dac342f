import type { Metadata } from '@grpc/grpc-js'
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common'
import { AppError } from '@olytix/errors'
import { type Observable, tap } from 'rxjs'
import { originOf } from '../audit/origin.js'
import { RefusalsService } from './refusals.service.js'

/** Records what a call refuses by itself, after the guard has let it in: a key with more scopes than its creator's. */
@Injectable()
export class RefusalInterceptor implements NestInterceptor {
  constructor(private readonly refusals: RefusalsService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const resource = `${context.getClass().name}.${context.getHandler().name}`
    const origin = originOf(context.switchToRpc().getContext<Metadata>())
    return next.handle().pipe(
      tap({
        error: (error: unknown) => {
          if (!(error instanceof AppError) || error.code !== 'FORBIDDEN' || !origin) return
          const { principal, requestId, clientIp } = origin
          const reason = 'insufficient_scope'
          this.refusals.note({ reason, principal, resource, requestId, clientIp })
        },
      }),
    )
  }
}
