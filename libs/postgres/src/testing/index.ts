export { createTestDatabase, type TestDatabase } from './test-database.js'
export { freePort } from '../free-port.js'
export { startTestServer } from './test-server.js'
export { TcpGate } from './tcp-gate.js'
