import { Body, Controller, Header, Headers, HttpCode, Post } from '@nestjs/common'
import { Public } from '@olytix/auth-guards'
import {
  IssueTokenRequest,
  RedeemPasswordTokenRequest,
  RefreshTokenRequest,
  RevokeTokenRequest,
} from '@olytix/proto'
import { z } from 'zod'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { Text } from './text.schemas.js'
import { clientName, toTokenJson } from './token-pair.js'

const IssueBody = z.strictObject({ username: Text.min(1).max(320), password: Text.min(1) })
/** Room for a credential of another kind: that is refused like any other, not as malformed. */
const RefreshBody = z.strictObject({ refresh_token: Text.min(1).max(8192) })
const ResetBody = z.strictObject({ token: Text.min(1).max(500), new_password: Text.min(1) })

/** Signing in and staying so: what needs no other credential than the one in the body. */
@Controller('api/v1/auth')
@Public()
export class TokenController {
  constructor(private readonly identity: IdentityClient) {}

  @Post('token')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async issue(
    @PassOn() context: CallContext,
    @Body({ schema: IssueBody }) body: z.output<typeof IssueBody>,
    @Headers('user-agent') userAgent: string | undefined,
  ) {
    const { tokens } = this.identity
    const request = IssueTokenRequest.create({
      ...body,
      userAgent: clientName(userAgent),
    })
    return toTokenJson(
      (await this.identity.call(context, tokens.issueToken.bind(tokens), request)).tokens,
    )
  }

  @Post('refresh')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async refresh(
    @PassOn() context: CallContext,
    @Body({ schema: RefreshBody }) body: z.output<typeof RefreshBody>,
  ) {
    const { tokens } = this.identity
    const request = RefreshTokenRequest.create({ refreshToken: body.refresh_token })
    return toTokenJson(
      (await this.identity.call(context, tokens.refreshToken.bind(tokens), request)).tokens,
    )
  }

  @Post('logout')
  @HttpCode(204)
  async logout(
    @PassOn() context: CallContext,
    @Body({ schema: RefreshBody }) body: z.output<typeof RefreshBody>,
  ): Promise<void> {
    const { tokens } = this.identity
    const request = RevokeTokenRequest.create({ refreshToken: body.refresh_token })
    await this.identity.call(context, tokens.revokeToken.bind(tokens), request)
  }

  @Post('password/reset')
  @HttpCode(204)
  async reset(
    @PassOn() context: CallContext,
    @Body({ schema: ResetBody }) body: z.output<typeof ResetBody>,
  ): Promise<void> {
    const { tokens } = this.identity
    const request = RedeemPasswordTokenRequest.create({
      token: body.token,
      newPassword: body.new_password,
    })
    await this.identity.call(context, tokens.redeemPasswordToken.bind(tokens), request)
  }
}
