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
import { type MarkedRefusal, refusalOf } from '../audit/refusal.js'
import { RefusalsService } from './refusals.service.js'

/**
 * Records what a call refuses by itself, after the guard has let it in: a key with more scopes than its creator's, a
 * sign-in that a provider or an account does not allow.
 */
@Injectable()
export class RefusalInterceptor implements NestInterceptor {
  constructor(private readonly refusals: RefusalsService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const resource = `${context.getClass().name}.${context.getHandler().name}`
    const origin = originOf(context.switchToRpc().getContext<Metadata>())
    const note = (refusal: MarkedRefusal | undefined): void => {
      if (!refusal || !origin) return
      const { principal, requestId, clientIp } = origin
      this.refusals.note({ ...refusal, principal, resource, requestId, clientIp })
    }
    return next.handle().pipe(
      tap({
        next: (answer: unknown) => {
          note(refusalOf(answer))
        },
        error: (error: unknown) => {
          note(refusalOf(error) ?? (origin?.principal ? scopeRefusal(error) : undefined))
        },
      }),
    )
  }
}

/** What is forbidden to somebody whom the guard has let in is beyond their scopes. */
function scopeRefusal(error: unknown): MarkedRefusal | undefined {
  const isForbidden = error instanceof AppError && error.code === 'FORBIDDEN'
  return isForbidden ? { reason: 'insufficient_scope', data: {} } : undefined
}
