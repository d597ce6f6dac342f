import { BinaryReader } from '@bufbuild/protobuf/wire'
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { AuditServiceService } from './gen/olytix/identity/v1/audit_service.js'
import { AuthorizationServiceService } from './gen/olytix/identity/v1/authorization_service.js'
import { KeyServiceService } from './gen/olytix/identity/v1/key_service.js'
import { OAuthServiceService } from './gen/olytix/identity/v1/oauth_service.js'
import { RoleServiceService } from './gen/olytix/identity/v1/role_service.js'
import { TokenServiceService } from './gen/olytix/identity/v1/token_service.js'
import { UserServiceService } from './gen/olytix/identity/v1/user_service.js'

/**
 * Stands for a request that could not be read: text that is not UTF-8, a message cut short. A server answers
 * INVALID_ARGUMENT; gRPC by itself would call it INTERNAL.
 */
export class UnreadableMessage {
  constructor(readonly cause: unknown) {}
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Generated readers take bytes, or a reader of bytes as here: one that refuses text which is not UTF-8, as proto3
 * demands. Otherwise U+FFFD would take its place, and nobody could tell any more what was sent.
 */
function readRequest(method: MethodDefinition<object, object>, bytes: Buffer): object {
  const reader = new BinaryReader(bytes, (text) => utf8.decode(text))
  try {
    const message: unknown = Reflect.apply(method.requestDeserialize, undefined, [reader])
    if (typeof message === 'object' && message !== null) return message
    return new UnreadableMessage('not a message')
  } catch (error) {
    return new UnreadableMessage(error)
  }
}

/** Nest and reflection look methods up by their wire name, ts-proto names them in camel case. */
function byWireName(service: ServiceDefinition): ServiceDefinition {
  const named: Record<string, MethodDefinition<object, object>> = {}
  for (const method of Object.values<MethodDefinition<object, object>>(service)) {
    named[method.path.slice(method.path.lastIndexOf('/') + 1)] = {
      ...method,
      requestDeserialize: (bytes) => readRequest(method, bytes),
    }
  }
  return named
}

/** The services of `olytix.identity.v1`, by full name, as Nest's gRPC transport wants them in `packageDefinition`. */
export const IDENTITY_PACKAGE_DEFINITION = {
  'olytix.identity.v1.AuditService': byWireName(AuditServiceService),
  'olytix.identity.v1.AuthorizationService': byWireName(AuthorizationServiceService),
  'olytix.identity.v1.KeyService': byWireName(KeyServiceService),
  'olytix.identity.v1.OAuthService': byWireName(OAuthServiceService),
  'olytix.identity.v1.RoleService': byWireName(RoleServiceService),
  'olytix.identity.v1.TokenService': byWireName(TokenServiceService),
  'olytix.identity.v1.UserService': byWireName(UserServiceService),
}

/** Package of every service here. */
export const IDENTITY_PACKAGE = 'olytix.identity.v1'
