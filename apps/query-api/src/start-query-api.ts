import { type ChannelCredentials, credentials } from '@grpc/grpc-js'
import { Logger, type LoggerService } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { CachingAuthorizer, GrpcAuthorizer } from '@olytix/auth-guards'
import { ConfigError, type Secret } from '@olytix/config'
import { AppModule, type Foundation } from './app.module.js'
import { checkWarehouse } from './check-warehouse.js'
import type { QueryApiConfig } from './config.js'
import { FolderWatcher } from './definitions/folder-watcher.js'
import { RevisionFollower } from './definitions/revision-follower.js'
import { answerWrongMethods } from './http/allowed-methods.js'
import { IdentityClient } from './http/auth/identity.client.js'
import { serveApiDocs } from './http/api-docs/api-docs.js'
import { createFastifyAdapter } from './http/fastify-server.js'
import { validationPipe } from './http/validation.js'
import { BuildRecords } from './models/build-records.js'
import { openDatabase } from './open-database.js'
import { openDefinitions, readSettings } from './open-definitions.js'
import { followRelations, tablesBehind } from './project/follow-relations.js'
import { readProjectFolder } from './project/load-project.js'
import { warehouseUrlOf } from './project/project-file.js'
import type { Project } from './project/project.js'
import { openRuns } from './open-runs.js'
import { Warehouse } from './warehouse/warehouse.js'

export interface RunningQueryApi {
  /** `host:port`. */
  readonly address: string
  /** Stops taking requests, answers those that run, closes what is open. */
  stop(): Promise<void>
}

/** Replicas look for builds four times a second, and are told of them besides. */
const FOLLOWED_WITHIN_MS = 2000

interface StartOptions {
  readonly logger: LoggerService
  /** For `${NAME}` in the project file. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Starts the service: its database, warehouse, project, then the port.
 * @throws AppError INVALID_PROJECT, ConfigError without a warehouse, Error when a role or the port cannot be used
 */
export async function startQueryApi(
  config: QueryApiConfig,
  options: StartOptions,
): Promise<RunningQueryApi> {
  const opened: Closable[] = []
  const closeAll = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each.close()
  }
  try {
    return { address: await serve(config, options, opened), stop: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

interface Closable {
  close(): Promise<void> | void
}

/** Puts on `opened` whatever must be closed again, in this order. @returns `host:port` */
async function serve(
  config: QueryApiConfig,
  { logger, environment }: StartOptions,
  opened: Closable[],
): Promise<string> {
  const open = <T extends Closable>(part: T): T => {
    opened.push(part)
    return part
  }
  const database = open(await openDatabase(config))
  const files = await readProjectFolder(config.OLYTIX_PROJECT_PATH)
  const settings = await readSettings(files, environment)
  const warehouse = open(openWarehouse(config, warehouseUrlOf(settings), logger))
  const builds = new BuildRecords(database, FOLLOWED_WITHIN_MS)
  const accept = warehouseCheck(config, { warehouse, builds, logger })
  const { definitions, projects } = await openDefinitions(settings.name, files, {
    config,
    environment,
    database,
    accept,
    builds: builds.count,
    logger,
  })
  open(new RevisionFollower(database, definitions, projects))
  if (config.OLYTIX_PROJECT_WATCH) {
    const read = () => readProjectFolder(config.OLYTIX_PROJECT_PATH)
    open(new FolderWatcher({ definitions, projects, read, files }))
  }
  const kept = { config, database, definitions, projects, builds }
  const runs = openRuns(kept, { logger, open, ofProject: warehouseUrlOf(settings) })
  const channel = credentials.createInsecure()
  const authorizer = open(new CachingAuthorizer(open(authorizerOf(config, channel))))
  const app = await createApp({ ...kept, warehouse, runs, authorizer, channel }, logger)
  open(app.get(IdentityClient))
  open(app)
  await app.listen(config.OLYTIX_HTTP__PORT, config.OLYTIX_HTTP__HOST)
  authorizer.start()
  return new URL(await app.getUrl()).host
}

async function createApp(
  foundation: Foundation,
  logger: LoggerService,
): Promise<NestFastifyApplication> {
  const { config } = foundation
  const access = new Logger('http')
  const adapter = createFastifyAdapter({
    trustedProxies: config.OLYTIX_HTTP__TRUSTED_PROXIES,
    onResponse: (entry) => {
      access.log(entry)
    },
  })
  answerWrongMethods(adapter.getInstance())
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(foundation),
    adapter,
    { logger, abortOnError: false },
  )
  app.useGlobalPipes(validationPipe())
  if (config.OLYTIX_HTTP__DOCS) serveApiDocs(app)
  if (config.OLYTIX_HTTP__CORS_ORIGINS.length > 0) {
    app.enableCors({ origin: [...config.OLYTIX_HTTP__CORS_ORIGINS], maxAge: 600 })
  }
  return app
}

function authorizerOf(config: QueryApiConfig, channel: ChannelCredentials): GrpcAuthorizer {
  return new GrpcAuthorizer({
    address: config.OLYTIX_IDENTITY__ADDRESS,
    channel,
    serviceToken: config.OLYTIX_IDENTITY__SERVICE_TOKEN?.reveal(),
  })
}

function openWarehouse(
  config: QueryApiConfig,
  ofProject: Secret | undefined,
  logger: LoggerService,
): Warehouse {
  const url = config.OLYTIX_WAREHOUSE__URL ?? ofProject ?? config.OLYTIX_WAREHOUSE__FALLBACK_URL
  if (!url) {
    throw new ConfigError([
      'OLYTIX_WAREHOUSE__URL: no warehouse is named, neither here nor as `warehouse.url` in olytix-core_project.yml',
    ])
  }
  if (config.OLYTIX_WAREHOUSE__URL && ofProject) {
    logger.warn('OLYTIX_WAREHOUSE__URL wins over the warehouse that the project names')
  }
  return new Warehouse({
    url: url.reveal(),
    onError: (error) => {
      logger.warn(error)
    },
  })
}

/** What a project is looked at with before it is served. */
interface CheckedWith {
  readonly warehouse: Warehouse
  readonly builds: BuildRecords
  readonly logger: LoggerService
}

/** Says once what is odd about the role that reads the tables of a project, and looks at what is behind those. */
function warehouseCheck(
  config: QueryApiConfig,
  { warehouse, builds, logger }: CheckedWith,
): (project: Project) => Promise<Project> {
  const said = new Set<string>()
  return async (project) => {
    for (const warning of await checkWarehouse(config, project, warehouse)) {
      if (!said.has(warning)) logger.warn(warning)
      said.add(warning)
    }
    const built = await builds.list()
    const tables = [...project.tables, ...built, ...tablesBehind(built)]
    return followRelations(project, await warehouse.storedRelations(tables), built)
  }
}
