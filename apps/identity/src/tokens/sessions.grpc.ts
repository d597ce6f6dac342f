import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { RequireAuthentication } from '@olytix/auth-guards'
import type {
  ChangePasswordRequest,
  ChangePasswordResponse,
  ListSessionsRequest,
  ListSessionsResponse,
  RevokeSessionRequest,
  RevokeSessionResponse,
} from '@olytix/proto'
import { CurrentOrigin, type PrincipalOrigin } from '../audit/origin.js'
import { demandUser, toSessionMessage } from './session-message.js'
import { SessionsService } from './sessions.service.js'
import { SignInService } from './sign-in.service.js'
import { parsePasswordChange, parseSessionId, parseSessionPage } from './tokens.schemas.js'

/** `TokenService`, what users do with their own sessions and password. An API key has neither. */
@RequireAuthentication()
@Controller()
export class SessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly signIns: SignInService,
  ) {}

  @GrpcMethod('TokenService', 'ChangePassword')
  async changePassword(
    @Payload() request: ChangePasswordRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<ChangePasswordResponse> {
    demandUser(origin)
    await this.signIns.changePassword(parsePasswordChange(request), origin)
    return {}
  }

  @GrpcMethod('TokenService', 'ListSessions')
  async listSessions(
    @Payload() request: ListSessionsRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<ListSessionsResponse> {
    const userId = demandUser(origin)
    const { pageSize, after } = parseSessionPage(request)
    const { sessions, nextId } = await this.sessions.listSessions(userId, pageSize, after)
    return {
      sessions: sessions.map((session) => toSessionMessage(session, origin.sessionId)),
      nextPageToken: nextId ?? '',
    }
  }

  @GrpcMethod('TokenService', 'RevokeSession')
  async revokeSession(
    @Payload() request: RevokeSessionRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<RevokeSessionResponse> {
    demandUser(origin)
    await this.sessions.revokeSession(parseSessionId(request.id), origin)
    return {}
  }
}
