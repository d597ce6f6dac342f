import { Body, Controller, Get, Header, HttpCode, Param, Patch, Post, Query } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import {
  type GetKeyUsageRequest,
  RevokeKeyRequest,
  RevokeKeysOfOwnerRequest,
  type RotateKeyRequest,
  type UpdateKeyRequest,
} from '@olytix/proto'
import type { z } from 'zod'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import {
  RevokeBody,
  RotateKeyBody,
  UpdateKeyBody,
  UsageQuery,
  usageToJson,
} from './key-life.schemas.js'
import { createdKeyToJson, keyToJson } from './keys.schemas.js'

/** What happens to an API key between its making and its end. */
@Controller('api/v1/auth/keys')
@RequireScope('admin')
export class KeyLifeController {
  constructor(private readonly identity: IdentityClient) {}

  @Patch(':id')
  async update(
    @PassOn() context: CallContext,
    @Param('id') id: string,
    @Body({ schema: UpdateKeyBody }) body: UpdateKeyRequest,
  ) {
    const { keys } = this.identity
    return keyToJson(
      (await this.identity.call(context, keys.updateKey.bind(keys), { ...body, id })).key,
    )
  }

  @Post(':id/rotate')
  @Header('cache-control', 'no-store')
  async rotate(
    @PassOn() context: CallContext,
    @Param('id') id: string,
    @Body({ schema: RotateKeyBody }) body: RotateKeyRequest,
  ) {
    const { keys } = this.identity
    const answer = await this.identity.call(context, keys.rotateKey.bind(keys), { ...body, id })
    return { ...createdKeyToJson(answer), rotated_from: answer.key?.rotatedFrom }
  }

  @Get(':id/usage')
  async usage(
    @PassOn() context: CallContext,
    @Param('id') id: string,
    @Query({ schema: UsageQuery }) query: GetKeyUsageRequest,
  ) {
    const { keys } = this.identity
    return usageToJson(
      await this.identity.call(context, keys.getKeyUsage.bind(keys), { ...query, id }),
    )
  }

  /** For somebody who found a key, and for a user who leaves. */
  @Post('revoke')
  @HttpCode(200)
  async revoke(
    @PassOn() context: CallContext,
    @Body({ schema: RevokeBody }) body: z.output<typeof RevokeBody>,
  ): Promise<{ revoked: number }> {
    const { keys } = this.identity
    if ('key' in body) {
      const request = RevokeKeyRequest.create({ secret: body.key })
      await this.identity.call(context, keys.revokeKey.bind(keys), request)
      return { revoked: 1 }
    }
    const request = RevokeKeysOfOwnerRequest.create({ ownerId: body.owner_id })
    return this.identity.call(context, keys.revokeKeysOfOwner.bind(keys), request)
  }
}
