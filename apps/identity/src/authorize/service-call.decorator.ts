import { type CustomDecorator, SetMetadata } from '@nestjs/common'

export const SERVICE_CALL = 'olytix:service-call'

/** Opens an RPC to our own services: whoever presents the service token. */
export function ServiceCall(): CustomDecorator {
  return SetMetadata(SERVICE_CALL, true)
}
