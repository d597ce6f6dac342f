import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { AuthorizationServiceService } from './gen/olytix/identity/v1/authorization_service.js'
import { KeyServiceService } from './gen/olytix/identity/v1/key_service.js'
import { RoleServiceService } from './gen/olytix/identity/v1/role_service.js'
import { TokenServiceService } from './gen/olytix/identity/v1/token_service.js'
import { UserServiceService } from './gen/olytix/identity/v1/user_service.js'

/** Nest and reflection look methods up by their wire name, ts-proto names them in camel case. */
function byWireName(service: ServiceDefinition): ServiceDefinition {
  const named: Record<string, MethodDefinition<object, object>> = {}
  for (const method of Object.values<MethodDefinition<object, object>>(service)) {
    named[method.path.slice(method.path.lastIndexOf('/') + 1)] = method
  }
  return named
}

/** The services of `olytix.identity.v1`, by full name, as Nest's gRPC transport wants them in `packageDefinition`. */
export const IDENTITY_PACKAGE_DEFINITION = {
  'olytix.identity.v1.AuthorizationService': byWireName(AuthorizationServiceService),
  'olytix.identity.v1.KeyService': byWireName(KeyServiceService),
  'olytix.identity.v1.RoleService': byWireName(RoleServiceService),
  'olytix.identity.v1.TokenService': byWireName(TokenServiceService),
  'olytix.identity.v1.UserService': byWireName(UserServiceService),
}

/** Package of every service here. */
export const IDENTITY_PACKAGE = 'olytix.identity.v1'
