import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { generateApiKey } from '@olytix/auth-guards/api-key'
import { loadConfig } from '@olytix/config'
import { JsonLogger } from '@olytix/observability'
import { Database } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import {
  AuditServiceClient,
  AuthorizationServiceClient,
  AuthorizeRequest,
  type AuthorizeResponse,
  CreateKeyRequest,
  type CreateKeyResponse,
  CreateUserRequest,
  type CreateUserResponse,
  IssueTokenRequest,
  KeyServiceClient,
  type KeyUse,
  OAuthServiceClient,
  type OneTimeToken,
  RoleServiceClient,
  type TokenPair,
  TokenServiceClient,
  type UpdateUserResponse,
  type User,
  UserChange,
  UserServiceClient,
} from '@olytix/proto'
import { PostgresProxy } from './postgres-proxy.js'
import { identitySettings } from '../src/config.js'
import { type RunningIdentity, startIdentity } from '../src/start-identity.js'

export const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
export const SERVICE_TOKEN = 'test-service-token-0123456789-abcdef'
export const ADMIN_EMAIL = 'Admin@Example.com'
export const ADMIN_PASSWORD = 'an admin of great discretion'
export const MASTER_KEY = randomBytes(32).toString('base64url')
export const ADMIN_KEY = generateApiKey(randomBytes).secret

export const USER_PASSWORD = 'a user of some discretion'

export interface NewUser {
  readonly user: User
  readonly invite: OneTimeToken | undefined
}

/** A clock that stands still until it is told. */
export class FakeClock {
  constructor(public at = new Date('2026-11-24T10:00:00.000Z')) {}
  readonly now = (): Date => new Date(this.at)
  advance(ms: number): void {
    this.at = new Date(this.at.getTime() + ms)
  }
}

/** One identity service with a first admin, over real gRPC, on a database of its own. */
export class Harness {
  private constructor(
    readonly testDatabase: TestDatabase,
    readonly owner: Database,
    /** Between the service and PostgreSQL. */
    readonly proxy: PostgresProxy,
    /** What the service is started with. */
    readonly settings: Readonly<Record<string, string>>,
  ) {}

  readonly clock = new FakeClock()
  private readonly lines: string[] = []
  private readonly log = new Writable({
    write: (line: Buffer, _encoding, done) => {
      this.lines.push(line.toString())
      done()
    },
  })

  private users = 0
  private running: RunningIdentity[] = []
  private clients: { close(): void }[] = []

  static async create(environment: Readonly<Record<string, string>> = {}): Promise<Harness> {
    const testDatabase = await createTestDatabase({ serviceRole: 'olytix_identity' })
    const owner = new Database({ url: testDatabase.ownerUrl, maxConnections: 2 })
    const proxy = await PostgresProxy.start(testDatabase.url)
    const settings = {
      OLYTIX_IDENTITY__PORT: '0',
      OLYTIX_IDENTITY__SERVICE_TOKEN: SERVICE_TOKEN,
      OLYTIX_DATABASE__URL: proxy.url,
      OLYTIX_DATABASE__OWNER_URL: testDatabase.ownerUrl,
      OLYTIX_SECURITY__MASTER_KEY: MASTER_KEY,
      OLYTIX_BOOTSTRAP__ADMIN_EMAIL: ADMIN_EMAIL,
      OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: ADMIN_PASSWORD,
      OLYTIX_BOOTSTRAP__ADMIN_API_KEY: ADMIN_KEY,
      ...environment,
    }
    return new Harness(testDatabase, owner, proxy, settings)
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Harness> {
    const harness = await Harness.create(environment)
    await harness.startAnother()
    return harness
  }

  get address(): string {
    const latest = this.running.at(-1)
    if (!latest) throw new Error('not started')
    return latest.address
  }

  /** Starts the service, or one more on the same database; the latest is the one that calls go to. */
  async startAnother(environment: Readonly<Record<string, string>> = {}): Promise<RunningIdentity> {
    const running = await startIdentity(
      loadConfig(identitySettings, { ...this.settings, ...environment }),
      {
        logger: new JsonLogger('identity', 'debug', this.log),
        environment: {},
        now: this.clock.now,
      },
    )
    this.running.push(running)
    return running
  }

  /** Everything logged since the last time. */
  logged(): string {
    return this.lines.splice(0).join('')
  }

  get keyClient(): KeyServiceClient {
    return this.keep(new KeyServiceClient(this.address, credentials.createInsecure()))
  }

  get tokenClient(): TokenServiceClient {
    return this.keep(new TokenServiceClient(this.address, credentials.createInsecure()))
  }

  get userClient(): UserServiceClient {
    return this.keep(new UserServiceClient(this.address, credentials.createInsecure()))
  }

  get oauthClient(): OAuthServiceClient {
    return this.keep(new OAuthServiceClient(this.address, credentials.createInsecure()))
  }

  get roleClient(): RoleServiceClient {
    return this.keep(new RoleServiceClient(this.address, credentials.createInsecure()))
  }

  get auditClient(): AuditServiceClient {
    return this.keep(new AuditServiceClient(this.address, credentials.createInsecure()))
  }

  get authorizationClient(): AuthorizationServiceClient {
    return this.keep(new AuthorizationServiceClient(this.address, credentials.createInsecure()))
  }

  authorize(
    request: Partial<AuthorizeRequest>,
    metadata = callMetadata({ 'service-token': SERVICE_TOKEN }),
  ): Promise<AuthorizeResponse> {
    const client = this.authorizationClient
    return unary((done) => client.authorize(AuthorizeRequest.create(request), metadata, done))
  }

  async batch(requests: readonly Partial<AuthorizeRequest>[]): Promise<AuthorizeResponse[]> {
    const client = this.authorizationClient
    const metadata = callMetadata({ 'service-token': SERVICE_TOKEN })
    const message = { requests: requests.map((request) => AuthorizeRequest.create(request)) }
    const { responses } = await unary<{ responses: AuthorizeResponse[] }>((done) =>
      client.batchAuthorize(message, metadata, done),
    )
    return responses
  }

  async recordUses(uses: KeyUse[]): Promise<void> {
    const client = this.authorizationClient
    const metadata = callMetadata({ 'service-token': SERVICE_TOKEN })
    await unary((done) => client.recordUses({ uses }, metadata, done))
  }

  createKey(request: Partial<CreateKeyRequest> = {}, by = ADMIN_KEY): Promise<CreateKeyResponse> {
    const client = this.keyClient
    const message = CreateKeyRequest.create({ name: 'Test key', ...request })
    return unary((done) => client.createKey(message, as(by), done))
  }

  /** Stops one of several. */
  async stopOne(one: RunningIdentity): Promise<void> {
    this.running = this.running.filter((each) => each !== one)
    await one.stop()
  }

  /** Signs in; the admin if not said otherwise. */
  async signIn(
    request: Partial<IssueTokenRequest> = {},
    metadata = new Metadata(),
  ): Promise<TokenPair> {
    const client = this.tokenClient
    const message = IssueTokenRequest.create({
      username: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
      ...request,
    })
    return pairOf(await unary((done) => client.issueToken(message, metadata, done)))
  }

  async refresh(refreshToken: string, metadata = new Metadata()): Promise<TokenPair> {
    const client = this.tokenClient
    return pairOf(await unary((done) => client.refreshToken({ refreshToken }, metadata, done)))
  }

  /** A new user with a password, unless the request says otherwise. */
  async createUser(request: Partial<CreateUserRequest> = {}, by = ADMIN_KEY): Promise<NewUser> {
    const client = this.userClient
    this.users += 1
    const message = CreateUserRequest.create({
      email: `user${String(this.users)}@example.com`,
      name: 'Test user',
      password: USER_PASSWORD,
      ...request,
    })
    const created = await unary<CreateUserResponse>((done) =>
      client.createUser(message, as(by), done),
    )
    if (!created.user) throw new Error('an answer without a user')
    return { user: created.user, invite: created.invite }
  }

  /** Changes what is given, by the admin's key. */
  async updateUser(id: string, change: Partial<UserChange>): Promise<User | undefined> {
    const client = this.userClient
    const snake = (name: string): string => name.replace('V', '_v')
    const updateMask = Object.keys(change).map(snake)
    const message = { id, change: UserChange.create(change), updateMask }
    const { user } = await unary<UpdateUserResponse>((done) =>
      client.updateUser(message, as(ADMIN_KEY), done),
    )
    return user
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close()
    this.clients = []
    const running = this.running.splice(0)
    await Promise.all(running.map((one) => one.stop()))
  }

  async end(): Promise<void> {
    await this.stop()
    await this.proxy.stop()
    await this.owner.close()
    await this.testDatabase.drop()
  }

  private keep<T extends { close(): void }>(client: T): T {
    this.clients.push(client)
    return client
  }
}

function pairOf({ tokens }: { tokens?: TokenPair | undefined }): TokenPair {
  if (!tokens) throw new Error('an answer without tokens')
  return tokens
}

export function callMetadata(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value)
  return metadata
}

/** Metadata of a management call, straight from the bearer of this credential. */
export function as(credential: string): Metadata {
  return callMetadata({ authorization: `Bearer ${credential}` })
}

export function unary<T>(
  call: (done: (error: ServiceError | null, response: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error) reject(error)
      else resolve(response)
    })
  })
}

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'metadata' in error) {
      return error as ServiceError
    }
    throw error
  }
  throw new Error('the call was expected to fail')
}
