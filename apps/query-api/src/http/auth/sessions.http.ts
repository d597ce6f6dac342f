import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common'
import { RequireAuthentication } from '@olytix/auth-guards'
import { ChangePasswordRequest, ListSessionsRequest, RevokeSessionRequest } from '@olytix/proto'
import { z } from 'zod'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { moment, type Page, PageQuery, Text } from './text.schemas.js'

const ChangePasswordBody = z.strictObject({
  current_password: Text.min(1),
  new_password: Text.min(1),
})

/** What a signed-in user does with his own account. Identity refuses API keys here. */
@Controller('api/v1/auth')
@RequireAuthentication()
export class SessionsController {
  constructor(private readonly identity: IdentityClient) {}

  @Post('password')
  @HttpCode(204)
  async changePassword(
    @PassOn() context: CallContext,
    @Body({ schema: ChangePasswordBody }) body: z.output<typeof ChangePasswordBody>,
  ): Promise<void> {
    const { tokens } = this.identity
    const request = ChangePasswordRequest.create({
      currentPassword: body.current_password,
      newPassword: body.new_password,
    })
    await this.identity.call(context, tokens.changePassword.bind(tokens), request)
  }

  @Get('sessions')
  async list(@PassOn() context: CallContext, @Query({ schema: PageQuery }) page: Page) {
    const { tokens } = this.identity
    const request = ListSessionsRequest.create(page)
    const answer = await this.identity.call(context, tokens.listSessions.bind(tokens), request)
    return {
      sessions: answer.sessions.map((session) => ({
        id: session.id,
        created_at: moment(session.createdAt),
        last_used_at: moment(session.lastUsedAt),
        expires_at: moment(session.expiresAt),
        client_ip: session.clientIp || null,
        user_agent: session.userAgent || null,
        current: session.current,
      })),
      next_page_token: answer.nextPageToken || null,
    }
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  async revoke(@PassOn() context: CallContext, @Param('id') id: string): Promise<void> {
    const { tokens } = this.identity
    await this.identity.call(
      context,
      tokens.revokeSession.bind(tokens),
      RevokeSessionRequest.create({ id }),
    )
  }
}
