import { type DynamicModule, Module, type Provider } from '@nestjs/common'
import { APP_GUARD, DiscoveryModule } from '@nestjs/core'
import { ACCESS_OPTIONS, AccessGuard, type AccessOptions } from './access.guard.js'
import { AUTHORIZER, type Authorizer } from './authorizer.js'
import { RouteAudit } from './route-audit.js'
import { ApiKeyStrategy, JwtStrategy } from './strategies.js'

/** Protects every route of an app: import it once, with the app's Authorizer. */
@Module({})
export class AuthGuardsModule {
  static forRoot({
    authorizer,
    ...access
  }: AccessOptions & { readonly authorizer: Authorizer }): DynamicModule {
    const guard: Provider = { provide: APP_GUARD, useClass: AccessGuard }
    return {
      module: AuthGuardsModule,
      imports: [DiscoveryModule],
      providers: [
        guard,
        RouteAudit,
        ApiKeyStrategy,
        JwtStrategy,
        { provide: AUTHORIZER, useValue: authorizer },
        { provide: ACCESS_OPTIONS, useValue: access },
      ],
      exports: [RouteAudit],
    }
  }
}
