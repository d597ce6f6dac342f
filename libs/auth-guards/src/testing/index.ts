export { aPrincipal, FakeAuthorizer } from './fake-authorizer.js'
export { FakeClock } from './fake-clock.js'
