import type { ChannelCredentials } from '@grpc/grpc-js'
import { type DynamicModule, Module, type Provider } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { AuthGuardsModule, type CachingAuthorizer } from '@olytix/auth-guards'
import { HttpErrorFilter } from '@olytix/errors/nest'
import { type Database, sql } from '@olytix/postgres'
import { doorEvent } from './audit/door-event.js'
import { AuditService } from './audit/audit.service.js'
import { checkWarehouse } from './check-warehouse.js'
import type { QueryApiConfig } from './config.js'
import type { Definitions } from './definitions/definitions.service.js'
import { HealthController, READINESS_CHECKS, type ReadinessCheck } from './health/health.http.js'
import { readyIf } from './health/ready-if.js'
import { IdentityHealth } from './health/identity-health.js'
import { AuditController } from './http/auth/audit.http.js'
import { IdentityClient } from './http/auth/identity.client.js'
import { IdentityPrincipals } from './http/auth/principals.js'
import { KeyLifeController } from './http/auth/key-life.http.js'
import { KeysController } from './http/auth/keys.http.js'
import { MeController } from './http/auth/me.http.js'
import { OAuthController } from './http/auth/oauth.http.js'
import { RolesController } from './http/auth/roles.http.js'
import { SessionsController } from './http/auth/sessions.http.js'
import { SigningKeysController } from './http/auth/signing-keys.http.js'
import { TokenController } from './http/auth/token.http.js'
import { UsersController } from './http/auth/users.http.js'
import { LoginController } from './http/login/login.http.js'
import { providePublicUrl } from './http/public-url.js'
import { createDefinitionsHttpModule } from './http/definitions-http.module.js'
import { createModelsHttpModule } from './http/models-http.module.js'
import { createQueryHttpModule } from './http/query-http.module.js'
import type { RunsService } from './models/runs.service.js'
import type { CurrentProject } from './project/current-project.js'
import type { Warehouse } from './warehouse/warehouse.js'

/** What the app is made of. */
export interface Foundation {
  readonly config: QueryApiConfig
  readonly database: Database
  readonly definitions: Definitions
  readonly projects: CurrentProject
  readonly warehouse: Warehouse
  readonly runs: RunsService
  readonly authorizer: CachingAuthorizer
  /** How to reach identity. */
  readonly channel: ChannelCredentials
}

const AUTH_CONTROLLERS = [
  MeController,
  TokenController,
  OAuthController,
  SessionsController,
  KeysController,
  KeyLifeController,
  UsersController,
  RolesController,
  SigningKeysController,
  AuditController,
]

/** The one list of features. */
@Module({})
export class AppModule {
  static forRoot(foundation: Foundation): DynamicModule {
    const { config, database, definitions, projects, warehouse, runs, authorizer } = foundation
    const audit = new AuditService(database, {
      isEnabled: config.OLYTIX_SECURITY__AUDIT_ENABLED,
      durability: config.OLYTIX_AUDIT__DURABILITY,
      retentionDays: config.OLYTIX_AUDIT__RETENTION_DAYS,
    })
    const identity = identityClient(foundation)
    const principals = new IdentityPrincipals(identity)
    return {
      module: AppModule,
      imports: [
        AuthGuardsModule.forRoot({
          authorizer,
          allowQueryParameter: config.OLYTIX_SECURITY__API_KEYS_ALLOW_QUERY_PARAMETER,
          onRefusal: (refusal) => audit.recordRefusal(doorEvent(refusal, audit.clock.now())),
        }),
        createQueryHttpModule({ projects, warehouse, audit, principals }),
        createDefinitionsHttpModule({
          definitions,
          projects,
          folder: config.OLYTIX_PROJECT_PATH,
        }),
        createModelsHttpModule(runs),
      ],
      controllers: [HealthController, LoginController, ...AUTH_CONTROLLERS],
      providers: [
        { provide: APP_FILTER, useClass: HttpErrorFilter },
        { provide: IdentityClient, useValue: identity },
        providePublicUrl(config.OLYTIX_HTTP__PUBLIC_URL),
        readiness(foundation),
      ],
    }
  }
}

function identityClient({ config, channel, authorizer }: Foundation): IdentityClient {
  return new IdentityClient({
    address: config.OLYTIX_IDENTITY__ADDRESS,
    channel,
    serviceToken: config.OLYTIX_IDENTITY__SERVICE_TOKEN?.reveal(),
    onRevision: (revision) => {
      authorizer.expectRevision(revision)
    },
  })
}

function readiness({ config, channel, database, projects, warehouse }: Foundation): Provider {
  const identity = new IdentityHealth(config.OLYTIX_IDENTITY__ADDRESS, channel)
  const checks: readonly ReadinessCheck[] = [
    { name: 'identity', isReady: () => identity.isServing() },
    readyIf('database', () => database.execute(sql`select 1`)),
    readyIf('warehouse', () => checkWarehouse(config, projects.project, warehouse)),
  ]
  return { provide: READINESS_CHECKS, useValue: checks }
}
