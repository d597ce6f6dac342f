import { Controller, Inject } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { RequireScope } from '@olytix/auth-guards'
import type {
  RevokeKeyRequest,
  RevokeKeyResponse,
  RevokeKeysOfOwnerRequest,
  RevokeKeysOfOwnerResponse,
  RotateKeyRequest,
  RotateKeyResponse,
  UpdateKeyRequest,
  UpdateKeyResponse,
} from '@olytix/proto'
import { CurrentOrigin, type PrincipalOrigin } from '../audit/origin.js'
import { parseUserId } from '../users/users.schemas.js'
import { KeyChangesService } from './key-changes.service.js'
import { toKeyMessage } from './key-message.js'
import { KeyRotationService } from './key-rotation.service.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import { parseKeyChanges, parseKeyId, parseRevocation, parseRotation } from './keys.schemas.js'

/** The part of `KeyService` that changes keys. */
@RequireScope('admin')
@Controller()
export class KeyLifeController {
  constructor(
    private readonly changes: KeyChangesService,
    private readonly rotation: KeyRotationService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  @GrpcMethod('KeyService', 'RevokeKey')
  async revokeKey(
    @Payload() request: RevokeKeyRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<RevokeKeyResponse> {
    await this.changes.revokeKey(parseRevocation(request), origin)
    return {}
  }

  @GrpcMethod('KeyService', 'UpdateKey')
  async updateKey(
    @Payload() request: UpdateKeyRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<UpdateKeyResponse> {
    const id = parseKeyId(request.id)
    const key = await this.changes.updateKey(id, parseKeyChanges(request), origin)
    return { key: toKeyMessage(key, this.options.now()) }
  }

  @GrpcMethod('KeyService', 'RotateKey')
  async rotateKey(
    @Payload() request: RotateKeyRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<RotateKeyResponse> {
    const { id, overlapSeconds } = parseRotation(request)
    const { secret, key } = await this.rotation.rotateKey(id, overlapSeconds, origin)
    return { secret, key: toKeyMessage(key, this.options.now()) }
  }

  @GrpcMethod('KeyService', 'RevokeKeysOfOwner')
  async revokeKeysOfOwner(
    @Payload() request: RevokeKeysOfOwnerRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<RevokeKeysOfOwnerResponse> {
    const ownerId = parseUserId(request.ownerId)
    return { revoked: await this.changes.revokeKeysOfOwner(ownerId, origin) }
  }
}
