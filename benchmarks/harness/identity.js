import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { credentials, Metadata } from '@grpc/grpc-js'
import { generateApiKey } from '@olytix/auth-guards/api-key'
import { createTestDatabase } from '@olytix/postgres/testing'
import {
  AuthorizationServiceClient,
  AuthorizeRequest,
  CreateUserRequest,
  IssueTokenRequest,
  TokenServiceClient,
  UserServiceClient,
} from '@olytix/proto'
import { startService } from './service-process.js'

const MAIN = fileURLToPath(new URL('../../apps/identity/dist/main.js', import.meta.url))
const ECHO = fileURLToPath(new URL('echo.js', import.meta.url))
export const SERVICE_TOKEN = randomBytes(32).toString('base64url')
export const ADMIN_KEY = generateApiKey(randomBytes).secret

export const ADMIN_EMAIL = 'admin@example.com'
export const PASSWORD = 'a benchmark of some discretion'

/** Identity as it is built, with a first admin, in a process and with a database of its own. */
export class Identity {
  /**
   * @param {import('./service-process.js').Service} service
   * @param {{ drop(): Promise<void> }} database
   */
  constructor(service, database) {
    const channel = credentials.createInsecure()
    this.service = service
    this.database = database
    this.authorizations = new AuthorizationServiceClient(service.address, channel)
    this.tokens = new TokenServiceClient(service.address, channel)
    this.users = new UserServiceClient(service.address, channel)
  }

  /** @param {Readonly<Record<string, string>>} environment */
  static async start(environment = {}) {
    const database = await createTestDatabase({ serviceRole: 'olytix_identity' })
    const service = await startService(MAIN, {
      OLYTIX_IDENTITY__PORT: '0',
      OLYTIX_IDENTITY__SERVICE_TOKEN: SERVICE_TOKEN,
      OLYTIX_DATABASE__URL: database.url,
      OLYTIX_DATABASE__OWNER_URL: database.ownerUrl,
      OLYTIX_SECURITY__MASTER_KEY: randomBytes(32).toString('base64url'),
      OLYTIX_BOOTSTRAP__ADMIN_EMAIL: ADMIN_EMAIL,
      OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: PASSWORD,
      OLYTIX_BOOTSTRAP__ADMIN_API_KEY: ADMIN_KEY,
      OLYTIX_LOG__LEVEL: 'warn',
      ...environment,
    })
    return new Identity(service, database)
  }

  get adminKey() {
    return ADMIN_KEY
  }

  /** For a service that asks this identity. */
  edgeEnvironment() {
    return {
      OLYTIX_IDENTITY__ADDRESS: this.service.address,
      OLYTIX_IDENTITY__SERVICE_TOKEN: SERVICE_TOKEN,
    }
  }

  /** Asks about the admin's key, as a guard does. */
  authorize() {
    return ask(this.authorizations)
  }

  /**
   * @param {string} username
   * @param {string} password
   * @param {string} clientIp failures are throttled per address
   */
  signIn(username, password, clientIp) {
    const metadata = withToken({ 'client-ip': clientIp })
    const request = IssueTokenRequest.create({ username, password })
    return new Promise((resolve, reject) => {
      this.tokens.issueToken(request, metadata, (error, answer) => {
        if (error) reject(error)
        else resolve(answer)
      })
    })
  }

  /** @param {string} email */
  createUser(email) {
    const metadata = withToken({ authorization: `Bearer ${ADMIN_KEY}` })
    const request = CreateUserRequest.create({ email, name: 'A user', password: PASSWORD })
    return new Promise((resolve, reject) => {
      this.users.createUser(request, metadata, (error, answer) => {
        if (error) reject(error)
        else resolve(answer)
      })
    })
  }

  async stop() {
    for (const client of [this.authorizations, this.tokens, this.users]) client.close()
    await this.service.stop()
    await this.database.drop()
  }
}

/** The bare server of `echo.js`. */
export class Echo {
  /** @param {import('./service-process.js').Service} service */
  constructor(service) {
    this.service = service
    this.client = new AuthorizationServiceClient(service.address, credentials.createInsecure())
  }

  static async start() {
    return new Echo(await startService(ECHO, {}))
  }

  authorize() {
    return ask(this.client)
  }

  async stop() {
    this.client.close()
    await this.service.stop()
  }
}

/** @param {AuthorizationServiceClient} client */
function ask(client) {
  const request = AuthorizeRequest.create({
    credential: ADMIN_KEY,
    requiredScopes: ['read'],
    resource: 'POST /api/v1/query',
    clientIp: '192.0.2.1',
  })
  return new Promise((resolve, reject) => {
    client.authorize(request, withToken({}), (error, answer) => {
      if (error) reject(error)
      else resolve(answer)
    })
  })
}

/** @param {Readonly<Record<string, string>>} entries */
function withToken(entries) {
  const metadata = new Metadata()
  metadata.set('service-token', SERVICE_TOKEN)
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value)
  return metadata
}
