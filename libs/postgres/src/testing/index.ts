export { createTestDatabase, type TestDatabase } from './test-database.js'
export { freePort, startTestServer } from './test-server.js'
