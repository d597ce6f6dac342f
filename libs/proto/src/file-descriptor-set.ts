import { readFileSync } from 'node:fs'

/**
 * The committed `buf build` image: a serialised FileDescriptorSet with comments, for gRPC reflection.
 * Everything else uses the generated code.
 */
export function readFileDescriptorSet(): Buffer {
  return readFileSync(new URL('../olytix-identity-v1.binpb', import.meta.url))
}
