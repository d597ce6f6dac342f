import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { Public, RequireScope } from '@olytix/auth-guards'
import {
  type GetJwksResponse,
  type ListSigningKeysResponse,
  type RevokeSigningKeyRequest,
  type RevokeSigningKeyResponse,
  type RotateSigningKeyResponse,
  type SigningKey,
  SigningKeyState,
} from '@olytix/proto'
import { CurrentOrigin, type PrincipalOrigin } from '../audit/origin.js'
import type { SigningKeyRow } from './signing-keys.queries.js'
import { SigningKeysService } from './signing-keys.service.js'
import { parseSigningKeyId } from './tokens.schemas.js'

/** `TokenService`, the keys that sign. */
@RequireScope('admin')
@Controller()
export class SigningKeysController {
  constructor(private readonly signingKeys: SigningKeysService) {}

  @GrpcMethod('TokenService', 'ListSigningKeys')
  async listSigningKeys(): Promise<ListSigningKeysResponse> {
    return { signingKeys: (await this.signingKeys.listSigningKeys()).map(toSigningKeyMessage) }
  }

  @GrpcMethod('TokenService', 'RotateSigningKey')
  async rotateSigningKey(
    @Payload() _request: object,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<RotateSigningKeyResponse> {
    return { signingKey: toSigningKeyMessage(await this.signingKeys.rotate(origin)) }
  }

  @GrpcMethod('TokenService', 'RevokeSigningKey')
  async revokeSigningKey(
    @Payload() request: RevokeSigningKeyRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<RevokeSigningKeyResponse> {
    await this.signingKeys.revoke(parseSigningKeyId(request.id), origin)
    return {}
  }

  @GrpcMethod('TokenService', 'GetJwks')
  @Public()
  async getJwks(): Promise<GetJwksResponse> {
    return { jwks: JSON.stringify({ keys: await this.signingKeys.publicKeys() }) }
  }
}

const STATES: Readonly<Record<SigningKeyRow['state'], SigningKeyState>> = {
  next: SigningKeyState.SIGNING_KEY_STATE_NEXT,
  active: SigningKeyState.SIGNING_KEY_STATE_ACTIVE,
  retiring: SigningKeyState.SIGNING_KEY_STATE_RETIRING,
  revoked: SigningKeyState.SIGNING_KEY_STATE_REVOKED,
}

function toSigningKeyMessage(row: SigningKeyRow): SigningKey {
  return {
    id: row.id,
    algorithm: row.algorithm,
    state: STATES[row.state],
    createdAt: row.created_at,
    activatedAt: row.activated_at ?? undefined,
    retiredAt: row.retired_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  }
}
