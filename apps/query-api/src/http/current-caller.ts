import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { canonicalAddress, type Principal } from '@olytix/auth-guards'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../audit/audit-event.js'

/** Who makes the request, as its audit event names them. Only on routes that are not public. */
export const CurrentCaller = createParamDecorator(
  (_: undefined, context: ExecutionContext): Caller => {
    const request = context.switchToHttp().getRequest<FastifyRequest & { principal?: Principal }>()
    const { principal, id, ip } = request
    if (!principal) throw new Error('@CurrentCaller() on a route without authentication')
    return { principal, requestId: id, clientIp: canonicalAddress(ip) }
  },
)
