import { createHash, timingSafeEqual } from 'node:crypto'
import type { Metadata } from '@grpc/grpc-js'

/** What a service token is compared by, so that the comparison takes the same time for all. */
export function hashServiceToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Whether a call comes from one of our services: it presents the token, or none is asked for. */
export function isServiceCall(call: Metadata, expected: Buffer | undefined): boolean {
  if (!expected) return true
  const presented = call.get('service-token')
  const [token] = presented
  if (presented.length !== 1 || typeof token !== 'string') return false
  return timingSafeEqual(hashServiceToken(token), expected)
}
