export {
  ACCESS,
  type Access,
  CurrentCredential,
  CurrentPrincipal,
  Public,
  RequireAuthentication,
  RequireScope,
} from './access.js'
export { type AccessOptions, type Refusal } from './access.guard.js'
export { AuthGuardsModule } from './auth-guards.module.js'
export { AUTHORIZER, type Authorizer, type AuthorizeQuestion, type Verdict } from './authorizer.js'
export { CachingAuthorizer } from './cache/caching-authorizer.js'
export { canonicalAddress } from './client-address.js'
export { GrpcAuthorizer } from './grpc-authorizer.js'
export { type Credential, type CredentialSource } from './presented-credential.js'
export type { AttributeValue, Principal, Scope } from './principal.js'
export { type DeclaredRoute, RouteAudit } from './route-audit.js'
