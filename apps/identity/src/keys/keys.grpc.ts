import { Controller, Inject } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { RequireScope } from '@olytix/auth-guards'
import type {
  CreateKeyRequest,
  CreateKeyResponse,
  GetKeyRequest,
  GetKeyResponse,
  GetKeyUsageRequest,
  GetKeyUsageResponse,
  ListKeysRequest,
  ListKeysResponse,
} from '@olytix/proto'
import { CurrentOrigin, type PrincipalOrigin } from '../audit/origin.js'
import { toKeyMessage } from './key-message.js'
import { parseUsageQuestion } from './key-usage.schemas.js'
import { KeyUsesService } from './key-uses.service.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import { parseKeyId, parseKeyPage, parseNewKey } from './keys.schemas.js'
import { KeysService } from './keys.service.js'

/** `KeyService`: who asks is decided by the guard, from the call's own credential. */
@RequireScope('admin')
@Controller()
export class KeysController {
  constructor(
    private readonly keys: KeysService,
    private readonly uses: KeyUsesService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  @GrpcMethod('KeyService', 'CreateKey')
  async createKey(
    @Payload() request: CreateKeyRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<CreateKeyResponse> {
    const { secret, key } = await this.keys.createKey(parseNewKey(request), origin)
    return { secret, key: toKeyMessage(key, this.options.now()) }
  }

  @GrpcMethod('KeyService', 'ListKeys')
  async listKeys(@Payload() request: ListKeysRequest): Promise<ListKeysResponse> {
    const { pageSize, beforeId } = parseKeyPage(request)
    const { keys, nextId } = await this.keys.listKeys(pageSize, beforeId)
    const now = this.options.now()
    return { keys: keys.map((key) => toKeyMessage(key, now)), nextPageToken: nextId ?? '' }
  }

  @GrpcMethod('KeyService', 'GetKey')
  async getKey(@Payload() request: GetKeyRequest): Promise<GetKeyResponse> {
    return { key: toKeyMessage(await this.keys.getKey(parseKeyId(request.id)), this.options.now()) }
  }

  @GrpcMethod('KeyService', 'GetKeyUsage')
  async getKeyUsage(@Payload() request: GetKeyUsageRequest): Promise<GetKeyUsageResponse> {
    const { id, span } = parseUsageQuestion(request, this.options.now())
    const { lastClientIp, buckets } = await this.uses.usageOf(id, span)
    return { buckets: [...buckets], lastClientIp: lastClientIp ?? '' }
  }
}
