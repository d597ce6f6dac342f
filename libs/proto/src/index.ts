export * from './gen/olytix/identity/v1/authorization_service.js'
export * from './gen/olytix/identity/v1/key_service.js'
export { readFileDescriptorSet } from './file-descriptor-set.js'
export { IDENTITY_PACKAGE, IDENTITY_PACKAGE_DEFINITION } from './package-definition.js'
