import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { Metadata } from '@grpc/grpc-js'
import type { Principal } from '@olytix/auth-guards'

/** Where a change comes from: what each audit event says besides the change itself. */
export interface Origin {
  /** Who acts; null for the service itself, such as at bootstrap. */
  readonly principal: Principal | null
  readonly requestId: string
  /** Canonical IPv4 or IPv6 address; null if unknown. */
  readonly clientIp: string | null
}

/** An origin with a verified principal, as every management call has one. */
export interface PrincipalOrigin extends Origin {
  readonly principal: Principal
  /** The session whose access token the call carries; null for an API key. */
  readonly sessionId: string | null
}

/** An origin of a public call: nobody has said who they are. */
export interface PublicOrigin extends Origin {
  readonly principal: null
}

const origins = new WeakMap<Metadata, PrincipalOrigin | PublicOrigin>()

/** Remembers, for as long as the call lives, who makes it. The guard's part. */
export function setOrigin(call: Metadata, origin: PrincipalOrigin | PublicOrigin): void {
  origins.set(call, origin)
}

/** The origin of a call; `undefined` for calls of our own services. */
export function originOf(call: Metadata): PrincipalOrigin | PublicOrigin | undefined {
  return origins.get(call)
}

/** The verified origin of a management call. */
export const CurrentOrigin = createParamDecorator(
  (_: undefined, context: ExecutionContext): PrincipalOrigin => {
    const origin = origins.get(context.switchToRpc().getContext<Metadata>())
    if (!origin?.principal) throw new Error('@CurrentOrigin() on a call that no guard has checked')
    return origin
  },
)

/** The origin of a public call. */
export const AnonymousOrigin = createParamDecorator(
  (_: undefined, context: ExecutionContext): PublicOrigin => {
    const origin = origins.get(context.switchToRpc().getContext<Metadata>())
    if (!origin || origin.principal)
      throw new Error('@AnonymousOrigin() on a call that is not public')
    return origin
  },
)
