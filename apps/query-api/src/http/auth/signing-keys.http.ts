import { Controller, Delete, Get, Header, HttpCode, Param, Post } from '@nestjs/common'
import { Public, RequireScope } from '@olytix/auth-guards'
import {
  GetJwksRequest,
  ListSigningKeysRequest,
  RevokeSigningKeyRequest,
  RotateSigningKeyRequest,
  type SigningKey,
} from '@olytix/proto'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { lowerName, moment } from './text.schemas.js'

/** The keys that sign access tokens. */
@Controller()
export class SigningKeysController {
  constructor(private readonly identity: IdentityClient) {}

  @Get('api/v1/auth/signing-keys')
  @RequireScope('admin')
  async list(@PassOn() context: CallContext) {
    const { tokens } = this.identity
    const request = ListSigningKeysRequest.create()
    const answer = await this.identity.call(context, tokens.listSigningKeys.bind(tokens), request)
    return { signing_keys: answer.signingKeys.map(toJson), next_page_token: null }
  }

  @Post('api/v1/auth/signing-keys/rotate')
  @RequireScope('admin')
  async rotate(@PassOn() context: CallContext) {
    const { tokens } = this.identity
    const request = RotateSigningKeyRequest.create()
    const answer = await this.identity.call(context, tokens.rotateSigningKey.bind(tokens), request)
    return toJson(answer.signingKey)
  }

  @Delete('api/v1/auth/signing-keys/:id')
  @RequireScope('admin')
  @HttpCode(204)
  async revoke(@PassOn() context: CallContext, @Param('id') id: string): Promise<void> {
    const { tokens } = this.identity
    const request = RevokeSigningKeyRequest.create({ id })
    await this.identity.call(context, tokens.revokeSigningKey.bind(tokens), request)
  }

  @Get('.well-known/jwks.json')
  @Public()
  @Header('cache-control', 'public, max-age=60')
  @Header('content-type', 'application/jwk-set+json')
  async jwks(@PassOn() context: CallContext): Promise<string> {
    const { tokens } = this.identity
    return (await this.identity.call(context, tokens.getJwks.bind(tokens), GetJwksRequest.create()))
      .jwks
  }
}

function toJson(key: SigningKey | undefined): Record<string, unknown> {
  if (!key) throw new Error('identity answered without a signing key')
  return {
    id: key.id,
    algorithm: key.algorithm,
    state: lowerName(key.state, 'SIGNING_KEY_STATE_'),
    created_at: moment(key.createdAt),
    activated_at: moment(key.activatedAt),
    retired_at: moment(key.retiredAt),
    revoked_at: moment(key.revokedAt),
  }
}
