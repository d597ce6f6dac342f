import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common'
import type { AuthenticatedRequest } from './authenticated-request.js'
import type { Credential } from './presented-credential.js'
import type { Principal, Scope } from './principal.js'

/** What a route demands of whoever calls it. */
export type Access =
  | { readonly kind: 'public' }
  | {
      readonly kind: 'authenticated'
      readonly scopes: readonly Scope[]
      /** Who it is must be asked anew, whatever was known a moment ago. */
      readonly fresh?: boolean
    }

export const ACCESS = 'olytix:access'

/** Opens a route, or a controller's routes, to everybody. The list of them is reviewed. */
export function Public(): MethodDecorator & ClassDecorator {
  return SetMetadata(ACCESS, { kind: 'public' } satisfies Access)
}

/** Demands a credential whose principal has this scope at this moment. */
export function RequireScope(scope: Scope): MethodDecorator & ClassDecorator {
  return SetMetadata(ACCESS, { kind: 'authenticated', scopes: [scope] } satisfies Access)
}

/** Demands a working credential of any kind, whatever its scopes. `fresh`: the route tells who somebody is right now. */
export function RequireAuthentication({ fresh = false } = {}): MethodDecorator & ClassDecorator {
  return SetMetadata(ACCESS, { kind: 'authenticated', scopes: [], fresh } satisfies Access)
}

/** The principal of the request. Only on routes that are not public. */
export const CurrentPrincipal = createParamDecorator(
  (_: undefined, context: ExecutionContext): Principal => {
    const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>()
    if (!principal) throw new Error('@CurrentPrincipal() on a route without authentication')
    return principal
  },
)

/** The credential itself, to pass it on to identity. Only on routes that are not public. */
export const CurrentCredential = createParamDecorator(
  (_: undefined, context: ExecutionContext): Credential => {
    const { credential } = context.switchToHttp().getRequest<AuthenticatedRequest>()
    if (!credential) throw new Error('@CurrentCredential() on a route without authentication')
    return credential
  },
)
