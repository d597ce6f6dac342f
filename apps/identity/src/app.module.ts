import { type DynamicModule, Global, Module } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import { Database } from '@olytix/postgres'
import { AUDIT_OPTIONS } from './audit/audit.service.js'
import { AuditModule } from './audit/audit.module.js'
import { AuthorizeModule } from './authorize/authorize.module.js'
import { AUTHORIZE_OPTIONS } from './authorize/authorize.options.js'
import { hashServiceToken } from './authorize/service-token.js'
import type { IdentitySettings } from './config.js'
import { DeadlineInterceptor } from './deadline.interceptor.js'
import { FirstAdmin } from './first-admin.js'
import { HealthModule } from './health/health.module.js'
import { KeysModule } from './keys/keys.module.js'
import { KEYS_OPTIONS } from './keys/keys.options.js'
import { OAuthModule } from './oauth/oauth.module.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth/oauth.options.js'
import type { OAuthSettings } from './oauth/provider-settings.js'
import { Providers } from './oauth/providers/providers.js'
import { ReadableMessageInterceptor } from './readable-message.interceptor.js'
import { TokensModule } from './tokens/tokens.module.js'
import { TOKENS_OPTIONS, type TokensOptions } from './tokens/tokens.options.js'
import { UsersModule } from './users/users.module.js'
import { USERS_OPTIONS } from './users/users.options.js'

/** What everything else stands on. */
export interface Foundation {
  readonly settings: IdentitySettings
  /** The block `security.oauth` of the project. */
  readonly oauth: OAuthSettings
  readonly database: Database
  readonly now: () => Date
}

/** The database, and each feature's own options out of the settings. */
@Global()
@Module({})
class FoundationModule {
  static forRoot({ settings, oauth, database, now }: Foundation): DynamicModule {
    const token = settings.OLYTIX_IDENTITY__SERVICE_TOKEN
    const serviceTokenHash = token && hashServiceToken(token.reveal())
    const maxDays = settings.OLYTIX_SECURITY__API_KEY_MAX_DAYS
    return {
      module: FoundationModule,
      providers: [
        { provide: Database, useValue: database },
        { provide: AUDIT_OPTIONS, useValue: { now } },
        { provide: USERS_OPTIONS, useValue: { now } },
        { provide: TOKENS_OPTIONS, useValue: tokensOptions(settings, now) },
        { provide: OAUTH_OPTIONS, useValue: oauthOptions(settings, oauth, now) },
        { provide: KEYS_OPTIONS, useValue: { now, maxDays } },
        { provide: AUTHORIZE_OPTIONS, useValue: { now, serviceTokenHash } },
      ],
      exports: [
        Database,
        AUDIT_OPTIONS,
        USERS_OPTIONS,
        KEYS_OPTIONS,
        TOKENS_OPTIONS,
        OAUTH_OPTIONS,
        AUTHORIZE_OPTIONS,
      ],
    }
  }
}

/** The features of the identity service. */
@Module({})
export class AppModule {
  static forRoot(foundation: Foundation): DynamicModule {
    return {
      module: AppModule,
      imports: [
        FoundationModule.forRoot(foundation),
        AuditModule,
        UsersModule,
        KeysModule,
        TokensModule,
        OAuthModule,
        AuthorizeModule,
        HealthModule,
      ],
      providers: [
        FirstAdmin,
        { provide: APP_INTERCEPTOR, useClass: DeadlineInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ReadableMessageInterceptor },
      ],
    }
  }
}

function tokensOptions(settings: IdentitySettings, now: () => Date): TokensOptions {
  return {
    now,
    masterKey: settings.OLYTIX_SECURITY__MASTER_KEY.reveal(),
    algorithm: settings.OLYTIX_SECURITY__JWT_ALGORITHM,
    issuer: settings.OLYTIX_SECURITY__JWT_ISSUER,
    audience: settings.OLYTIX_SECURITY__JWT_AUDIENCE,
    rotationDays: settings.OLYTIX_SECURITY__SIGNING_KEY_ROTATION_DAYS,
    idleDays: settings.OLYTIX_SECURITY__SESSION_IDLE_DAYS,
    absoluteDays: settings.OLYTIX_SECURITY__SESSION_MAX_DAYS,
  }
}

function oauthOptions(
  settings: IdentitySettings,
  { redirectUris, providers }: OAuthSettings,
  now: () => Date,
): OAuthOptions {
  const allowPrivateAddresses = settings.OLYTIX_OAUTH__ALLOW_PRIVATE_ADDRESSES
  return { now, redirectUris, providers: new Providers({ providers, now, allowPrivateAddresses }) }
}
