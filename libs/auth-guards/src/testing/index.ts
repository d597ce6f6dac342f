export { aPrincipal, FakeAuthorizer } from './fake-authorizer.js'
