import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import type { AuthorizeRequest, AuthorizeResponse } from '@olytix/proto'
import { parseQuestion } from './authorize.schemas.js'
import { AuthorizeService } from './authorize.service.js'
import { toAuthorizeResponse } from './decision-message.js'
import { ServiceCall } from './service-call.decorator.js'

/** `AuthorizationService`: asked by the guards of other services, on every request. */
@ServiceCall()
@Controller()
export class AuthorizeController {
  constructor(private readonly authorizeService: AuthorizeService) {}

  @GrpcMethod('AuthorizationService', 'Authorize')
  async authorize(@Payload() request: AuthorizeRequest): Promise<AuthorizeResponse> {
    return toAuthorizeResponse(await this.authorizeService.authorize(parseQuestion(request)))
  }
}
