import { Module } from '@nestjs/common'
import { APP_GUARD, DiscoveryModule } from '@nestjs/core'
import { KeysModule } from '../keys/keys.module.js'
import { AuthorizeController } from './authorize.grpc.js'
import { AuthorizeService } from './authorize.service.js'
import { RpcAccessGuard } from './rpc-access.guard.js'
import { RpcAudit } from './rpc-audit.js'

@Module({
  imports: [DiscoveryModule, KeysModule],
  controllers: [AuthorizeController],
  providers: [AuthorizeService, { provide: APP_GUARD, useClass: RpcAccessGuard }, RpcAudit],
  exports: [AuthorizeService, RpcAudit],
})
export class AuthorizeModule {}
