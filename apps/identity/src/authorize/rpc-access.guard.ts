import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { AppError, forbidden, unauthorized } from '@olytix/errors'
import { ACCESS, type Access } from '@olytix/auth-guards'
import { setOrigin } from '../audit/origin.js'
import { AUTHORIZE_OPTIONS, type AuthorizeOptions } from './authorize.options.js'
import { AuthorizeService } from './authorize.service.js'
import type { Decision } from './decide.js'
import { toPublicOrigin, toQuestion } from './management-call.js'
import { SERVICE_CALL } from './service-call.decorator.js'
import { isServiceCall } from './service-token.js'

/**
 * The one guard of this service. Default deny: an RPC that declares nothing is refused (and stops the start, see
 * `RpcAudit`). It asks the same `AuthorizeService` that other services ask, and believes no principal that they name.
 */
@Injectable()
export class RpcAccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authorizeService: AuthorizeService,
    @Inject(AUTHORIZE_OPTIONS) private readonly options: AuthorizeOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const metadata = context.switchToRpc().getContext<Metadata>()
    const service = isServiceCall(metadata, this.options.serviceTokenHash)
    if (this.declared(SERVICE_CALL, context) === true) {
      if (!service) throw unauthorized('a service call without the service token')
      return true
    }
    const access = this.declared(ACCESS, context)
    if (!isAccess(access)) throw forbidden('the call declares no access')
    const peer = context.getArgByIndex<ServerUnaryCall<unknown, unknown>>(2).getPeer()
    const call = { metadata, isServiceCall: service, peer }
    if (access.kind === 'public') {
      setOrigin(metadata, toPublicOrigin(call))
      return true
    }
    const question = toQuestion({
      ...call,
      requiredScopes: access.scopes,
      resource: `${context.getClass().name}.${context.getHandler().name}`,
    })
    const decision = await this.authorizeService.authorize(question)
    const { requestId, clientIp } = question
    const { sessionId } = decision
    setOrigin(metadata, { principal: allowed(decision), sessionId, requestId, clientIp })
    return true
  }

  private declared(name: string, context: ExecutionContext): unknown {
    return this.reflector.getAllAndOverride(name, [context.getHandler(), context.getClass()])
  }
}

function isAccess(value: unknown): value is Access {
  return typeof value === 'object' && value !== null && 'kind' in value
}

/** @throws AppError UNAUTHORIZED when nobody is named, else RATE_LIMITED or FORBIDDEN */
function allowed({
  principal,
  denialReason,
  rateUse,
}: Decision): NonNullable<Decision['principal']> {
  if (!principal) throw unauthorized(denialReason ?? 'no principal')
  if (denialReason === 'rate_limited') throw rateLimited(rateUse?.resetAfterMs ?? 0)
  if (denialReason !== null) throw forbidden(denialReason)
  return principal
}

function rateLimited(resetAfterMs: number): AppError {
  const seconds = String(Math.ceil(resetAfterMs / 1000))
  return new AppError(
    'RATE_LIMITED',
    `Too many requests with this key: try again in ${seconds} s`,
    {
      headers: { 'retry-after': seconds },
    },
  )
}
