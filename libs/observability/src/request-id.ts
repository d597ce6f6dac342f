import { randomUUID } from 'node:crypto'

/** Header that names a request, in and out. */
export const REQUEST_ID_HEADER = 'x-request-id'

/** The client's request id if it is harmless to log and echo, else a new one. */
export function requestId(presented: unknown): string {
  return typeof presented === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(presented)
    ? presented
    : randomUUID()
}
