export * from './gen/olytix/identity/v1/audit_service.js'
export * from './gen/olytix/identity/v1/authorization_service.js'
export * from './gen/olytix/identity/v1/key_service.js'
export * from './gen/olytix/identity/v1/oauth_service.js'
export * from './gen/olytix/identity/v1/role_service.js'
export * from './gen/olytix/identity/v1/token_service.js'
export * from './gen/olytix/identity/v1/user_service.js'
export { readFileDescriptorSet } from './file-descriptor-set.js'
export {
  IDENTITY_PACKAGE,
  IDENTITY_PACKAGE_DEFINITION,
  UnreadableMessage,
} from './package-definition.js'
