import { fileURLToPath } from 'node:url'
import { Logger, type LoggerService } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { GrpcErrorFilter } from '@olytix/errors/nest'
import { Database, demandServiceRole, migrate } from '@olytix/postgres'
import { AppModule } from './app.module.js'
import { InvalidationsService } from './authorize/invalidations.service.js'
import type { IdentitySettings } from './config.js'
import { FirstAdmin } from './first-admin.js'
import { GrpcServer } from './grpc-server.js'
import { HealthService } from './health/health.service.js'
import { readOAuthSettings } from './oauth/provider-settings-file.js'
import { SigningKeysService } from './tokens/signing-keys.service.js'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

export interface RunningIdentity {
  /** `host:port`. */
  readonly address: string
  /** Stops taking calls, answers those that run, writes what is still in memory, closes the database. */
  stop(): Promise<void>
}

interface StartOptions {
  readonly logger: LoggerService
  /** Where the project file finds `${NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly now?: () => Date
}

/**
 * Starts the service: migrations if it knows the owner, first admin, then the port.
 * @throws ConfigError when the project file does not describe its providers; Error when the database role could get
 * around grants, or the database or the port cannot be used
 */
export async function startIdentity(
  settings: IdentitySettings,
  { logger, environment, now = () => new Date() }: StartOptions,
): Promise<RunningIdentity> {
  const oauth = readOAuthSettings({
    projectPath: settings.OLYTIX_PROJECT_PATH,
    allowPrivateAddresses: settings.OLYTIX_OAUTH__ALLOW_PRIVATE_ADDRESSES,
    environment,
  })
  const ownerUrl = settings.OLYTIX_DATABASE__OWNER_URL
  if (ownerUrl !== undefined) await migrate(ownerUrl, MIGRATIONS)
  const database = new Database({
    url: settings.OLYTIX_DATABASE__URL,
    onError: (error) => {
      new Logger('database').warn(error)
    },
  })
  try {
    await demandServiceRole(database)
    return await listen({ settings, oauth, database, now }, logger)
  } catch (error) {
    await database.close()
    throw error
  }
}

async function listen(
  foundation: Parameters<typeof AppModule.forRoot>[0],
  logger: LoggerService,
): Promise<RunningIdentity> {
  const { settings, database } = foundation
  const server = new GrpcServer({
    host: settings.OLYTIX_IDENTITY__HOST,
    port: settings.OLYTIX_IDENTITY__PORT,
    reflection: settings.OLYTIX_IDENTITY__REFLECTION,
    onServices: (grpc, names) => {
      app.get(HealthService).addToServer(grpc, names)
    },
    onClosing: () => {
      app.get(HealthService).beginShutdown()
      app.get(InvalidationsService).beginShutdown()
    },
  })
  const app = await NestFactory.createMicroservice(AppModule.forRoot(foundation), {
    strategy: server,
    logger,
    abortOnError: false,
  })
  app.useGlobalFilters(new GrpcErrorFilter())
  await app.get(SigningKeysService).ensure()
  await app.get(FirstAdmin).ensure(settings)
  await app.listen()
  return {
    address: server.address,
    stop: async () => {
      await app.close()
      await database.close()
    },
  }
}
