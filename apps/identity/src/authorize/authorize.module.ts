import { Module } from '@nestjs/common'
import { APP_GUARD, APP_INTERCEPTOR, DiscoveryModule } from '@nestjs/core'
import { KeysModule } from '../keys/keys.module.js'
import { TokensModule } from '../tokens/tokens.module.js'
import { AuditModule } from '../audit/audit.module.js'
import { AuthorizeController } from './authorize.grpc.js'
import { AuthorizeService } from './authorize.service.js'
import { BookkeepingService } from './bookkeeping.service.js'
import { InvalidationsService } from './invalidations.service.js'
import { RefusalInterceptor } from './refusal.interceptor.js'
import { RefusalsService } from './refusals.service.js'
import { RevisionInterceptor } from './revision.interceptor.js'
import { RevisionFeed } from './revision-feed.js'
import { RpcAccessGuard } from './rpc-access.guard.js'
import { RpcAudit } from './rpc-audit.js'

@Module({
  imports: [AuditModule, DiscoveryModule, KeysModule, TokensModule],
  controllers: [AuthorizeController],
  providers: [
    AuthorizeService,
    BookkeepingService,
    InvalidationsService,
    RefusalsService,
    RevisionFeed,
    RpcAudit,
    { provide: APP_GUARD, useClass: RpcAccessGuard },
    { provide: APP_INTERCEPTOR, useClass: RefusalInterceptor },
    { provide: APP_INTERCEPTOR, useClass: RevisionInterceptor },
  ],
  exports: [AuthorizeService, InvalidationsService, RpcAudit],
})
export class AuthorizeModule {}
