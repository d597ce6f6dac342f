import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { type Credential, canonicalAddress } from '@olytix/auth-guards'
import type { FastifyRequest } from 'fastify'
import type { CallContext } from './identity.client.js'

/** The request's credential (none on public routes), address and id, to pass on to identity. */
export const PassOn = createParamDecorator(
  (_: undefined, context: ExecutionContext): CallContext => {
    const request = context
      .switchToHttp()
      .getRequest<FastifyRequest & { credential?: Credential }>()
    return {
      credential: request.credential,
      clientIp: canonicalAddress(request.ip),
      requestId: request.id,
    }
  },
)
