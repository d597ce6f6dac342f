import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { Public } from '@olytix/auth-guards'
import type {
  IssueTokenRequest,
  IssueTokenResponse,
  RedeemPasswordTokenRequest,
  RedeemPasswordTokenResponse,
  RefreshTokenRequest,
  RefreshTokenResponse,
  RevokeTokenRequest,
  RevokeTokenResponse,
} from '@olytix/proto'
import { AnonymousOrigin, type PublicOrigin } from '../audit/origin.js'
import { SignInService } from './sign-in.service.js'
import { parseRedemption, parseSignIn } from './tokens.schemas.js'

/** `TokenService`, the calls that need no other credential than the one in their message. */
@Public()
@Controller()
export class TokensController {
  constructor(private readonly signIns: SignInService) {}

  @GrpcMethod('TokenService', 'IssueToken')
  async issueToken(
    @Payload() request: IssueTokenRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<IssueTokenResponse> {
    return { tokens: await this.signIns.signIn(parseSignIn(request), origin) }
  }

  @GrpcMethod('TokenService', 'RefreshToken')
  async refreshToken(
    @Payload() request: RefreshTokenRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<RefreshTokenResponse> {
    return { tokens: await this.signIns.refresh(request.refreshToken, origin) }
  }

  @GrpcMethod('TokenService', 'RevokeToken')
  async revokeToken(
    @Payload() request: RevokeTokenRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<RevokeTokenResponse> {
    await this.signIns.signOut(request.refreshToken, origin)
    return {}
  }

  @GrpcMethod('TokenService', 'RedeemPasswordToken')
  async redeemPasswordToken(
    @Payload() request: RedeemPasswordTokenRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<RedeemPasswordTokenResponse> {
    const { token, password } = parseRedemption(request)
    await this.signIns.redeemPasswordToken(token, password, origin)
    return {}
  }
}
