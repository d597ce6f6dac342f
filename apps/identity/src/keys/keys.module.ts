import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { UsersModule } from '../users/users.module.js'
import { KeysController } from './keys.grpc.js'
import { KeysService } from './keys.service.js'
import { LastUsedService } from './last-used.service.js'

@Module({
  imports: [AuditModule, UsersModule],
  controllers: [KeysController],
  providers: [KeysService, LastUsedService],
  exports: [KeysService, LastUsedService],
})
export class KeysModule {}
