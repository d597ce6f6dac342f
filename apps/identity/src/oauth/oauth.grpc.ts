import { Controller, Inject } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { Public } from '@olytix/auth-guards'
import type {
  BeginSignInRequest,
  BeginSignInResponse,
  FinishSignInRequest,
  ListProvidersResponse,
  RedeemCodeRequest,
  RedeemCodeResponse,
} from '@olytix/proto'
import { AnonymousOrigin, type PublicOrigin } from '../audit/origin.js'
import { BeginSignInService } from './begin-sign-in.service.js'
import { CodesService } from './codes.service.js'
import { type FinishedSignIn, FinishSignInService } from './finish-sign-in.service.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth.options.js'
import { parseBeginning, parseCallback, parseCode } from './oauth.schemas.js'

/** `OAuthService`: whoever signs in is nobody yet. */
@Public()
@Controller()
export class OAuthController {
  constructor(
    private readonly beginning: BeginSignInService,
    private readonly finishing: FinishSignInService,
    private readonly codes: CodesService,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  @GrpcMethod('OAuthService', 'ListProviders')
  listProviders(): ListProvidersResponse {
    return { providers: [...this.options.providers.list()] }
  }

  @GrpcMethod('OAuthService', 'BeginSignIn')
  beginSignIn(
    @Payload() request: BeginSignInRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<BeginSignInResponse> {
    return this.beginning.begin(parseBeginning(request), origin)
  }

  /** The answer is passed on as it is: a refusal that it tells of is marked on it. */
  @GrpcMethod('OAuthService', 'FinishSignIn')
  finishSignIn(
    @Payload() request: FinishSignInRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<FinishedSignIn> {
    return this.finishing.finish(parseCallback(request), origin)
  }

  @GrpcMethod('OAuthService', 'RedeemCode')
  async redeemCode(
    @Payload() request: RedeemCodeRequest,
    @AnonymousOrigin() origin: PublicOrigin,
  ): Promise<RedeemCodeResponse> {
    return { tokens: await this.codes.redeem(parseCode(request), origin) }
  }
}
