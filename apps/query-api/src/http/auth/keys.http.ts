import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { CreateKeyRequest, GetKeyRequest, ListKeysRequest, RevokeKeyRequest } from '@olytix/proto'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { CreateKeyBody, createdKeyToJson, keyToJson } from './keys.schemas.js'
import { type Page, PageQuery } from './text.schemas.js'

/** API keys over REST: each call is passed on with the caller's own credential. */
@Controller('api/v1/auth/keys')
@RequireScope('admin')
export class KeysController {
  constructor(private readonly identity: IdentityClient) {}

  @Post()
  @Header('cache-control', 'no-store')
  async create(
    @PassOn() context: CallContext,
    @Body({ schema: CreateKeyBody }) body: CreateKeyRequest,
  ) {
    const { keys } = this.identity
    return createdKeyToJson(await this.identity.call(context, keys.createKey.bind(keys), body))
  }

  @Get()
  async list(@PassOn() context: CallContext, @Query({ schema: PageQuery }) page: Page) {
    const { keys } = this.identity
    const answer = await this.identity.call(
      context,
      keys.listKeys.bind(keys),
      ListKeysRequest.create(page),
    )
    return { keys: answer.keys.map(keyToJson), next_page_token: answer.nextPageToken || null }
  }

  @Get(':id')
  async get(@PassOn() context: CallContext, @Param('id') id: string) {
    const { keys } = this.identity
    const request = GetKeyRequest.create({ id })
    return keyToJson((await this.identity.call(context, keys.getKey.bind(keys), request)).key)
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@PassOn() context: CallContext, @Param('id') id: string): Promise<void> {
    const { keys } = this.identity
    await this.identity.call(context, keys.revokeKey.bind(keys), RevokeKeyRequest.create({ id }))
  }
}
