import {
  Body,
  Controller,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common'
import { Public } from '@olytix/auth-guards'
import {
  BeginSignInRequest,
  FinishSignInRequest,
  ListProvidersRequest,
  RedeemCodeRequest,
} from '@olytix/proto'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { PublicUrl } from '../public-url.js'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { AuthorizeQuery, CallbackQuery, RedeemBody } from './oauth.schemas.js'
import { SignInCookie } from './sign-in-cookie.js'
import { clientName, toTokenJson } from './token-pair.js'

/** Time for a call in which identity asks the provider; longer than identity gives the provider. In milliseconds. */
const PROVIDER_DEADLINE_MS = 12_000

/** Signing in with a provider. Identity decides everything; here are the browser's redirects and its cookie. */
@Controller('api/v1/auth/oauth')
@Public()
export class OAuthController {
  constructor(
    private readonly identity: IdentityClient,
    private readonly publicUrl: PublicUrl,
  ) {}

  @Get('providers')
  async list(@PassOn() context: CallContext) {
    const { oauth } = this.identity
    const request = ListProvidersRequest.create()
    const answer = await this.identity.call(context, oauth.listProviders.bind(oauth), request)
    return {
      providers: answer.providers.map(({ name, displayName }) => ({
        name,
        display_name: displayName,
        authorize_url: this.addressOf(name, 'authorize'),
      })),
    }
  }

  @Get(':name/authorize')
  @HttpCode(302)
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'no-referrer')
  async authorize(
    @PassOn() context: CallContext,
    @Param('name') provider: string,
    @Query({ schema: AuthorizeQuery }) query: z.output<typeof AuthorizeQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { oauth } = this.identity
    const request = BeginSignInRequest.create({
      provider,
      callbackUrl: this.addressOf(provider, 'callback'),
      loginUrl: this.publicUrl.of('login').href,
      redirectUri: query.redirect_uri ?? '',
      state: query.state ?? '',
      codeChallenge: query.code_challenge ?? '',
    })
    const begin = oauth.beginSignIn.bind(oauth)
    const begun = await this.identity.call(context, begin, request, PROVIDER_DEADLINE_MS)
    new SignInCookie(begun.state, this.publicUrl.isSecure).keep(
      reply,
      begun.browserSecret,
      begun.expiresIn,
    )
    void reply.header('location', begun.authorizationUrl)
  }

  @Get(':name/callback')
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'no-referrer')
  async callback(
    @PassOn() context: CallContext,
    @Param('name') provider: string,
    @Query({ schema: CallbackQuery }) query: z.output<typeof CallbackQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { oauth } = this.identity
    const cookie = new SignInCookie(query.state, this.publicUrl.isSecure)
    const request = FinishSignInRequest.create({
      ...query,
      provider,
      browserSecret: cookie.take(reply),
      userAgent: clientName(reply.request.headers['user-agent']),
    })
    const finish = oauth.finishSignIn.bind(oauth)
    const answer = await this.identity.call(context, finish, request, PROVIDER_DEADLINE_MS)
    if (!answer.redirectUrl) return toTokenJson(answer.tokens)
    void reply.status(302).header('location', answer.redirectUrl)
    return undefined
  }

  @Post('token')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async redeem(
    @PassOn() context: CallContext,
    @Body({ schema: RedeemBody }) body: z.output<typeof RedeemBody>,
    @Headers('user-agent') userAgent: string | undefined,
  ) {
    const { oauth } = this.identity
    const request = RedeemCodeRequest.create({
      code: body.code,
      codeVerifier: body.code_verifier,
      userAgent: clientName(userAgent),
    })
    const answer = await this.identity.call(context, oauth.redeemCode.bind(oauth), request)
    return toTokenJson(answer.tokens)
  }

  private addressOf(provider: string, step: 'authorize' | 'callback'): string {
    return this.publicUrl.of(`api/v1/auth/oauth/${encodeURIComponent(provider)}/${step}`).href
  }
}
