import type { Metadata } from '@grpc/grpc-js'
import {
  type GetKeyUsageResponse,
  type Key,
  type KeyChange,
  KeyChange as KeyChangeMessage,
  type RotateKeyResponse,
  type UsageGranularity,
} from '@olytix/proto'
import { ADMIN_KEY, as, type Harness, unary } from './harness.js'

/** What an admin does to keys, over gRPC. */
export class KeyCalls {
  constructor(
    private readonly identity: Harness,
    private readonly metadata: () => Metadata = () => as(ADMIN_KEY),
  ) {}

  async get(id: string): Promise<Key> {
    const client = this.identity.keyClient
    return keyIn(await unary((done) => client.getKey({ id }, this.metadata(), done)))
  }

  async update(id: string, updateMask: string[], change: Partial<KeyChange> = {}): Promise<Key> {
    const client = this.identity.keyClient
    const request = { id, updateMask, change: KeyChangeMessage.create(change) }
    return keyIn(await unary((done) => client.updateKey(request, this.metadata(), done)))
  }

  rotate(id: string, overlapSeconds = 0): Promise<RotateKeyResponse> {
    const client = this.identity.keyClient
    return unary((done) => client.rotateKey({ id, overlapSeconds }, this.metadata(), done))
  }

  async revoke(id: string): Promise<void> {
    const client = this.identity.keyClient
    await unary((done) => client.revokeKey({ id }, this.metadata(), done))
  }

  async revokeAllOf(ownerId: string): Promise<number> {
    const client = this.identity.keyClient
    const answer = await unary<{ revoked: number }>((done) =>
      client.revokeKeysOfOwner({ ownerId }, this.metadata(), done),
    )
    return answer.revoked
  }

  usage(
    id: string,
    granularity: UsageGranularity,
    span: { readonly from?: Date; readonly to?: Date } = {},
  ): Promise<GetKeyUsageResponse> {
    const client = this.identity.keyClient
    const request = { id, granularity, from: span.from, to: span.to }
    return unary((done) => client.getKeyUsage(request, this.metadata(), done))
  }
}

export function keyIn({ key }: { readonly key: Key | undefined }): Key {
  if (!key) throw new Error('an answer without a key')
  return key
}
