import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { UsersModule } from '../users/users.module.js'
import { KeyChangesService } from './key-changes.service.js'
import { KeyIssuer } from './key-issuer.service.js'
import { KeyLifeController } from './key-life.grpc.js'
import { KeyRemindersService } from './key-reminders.service.js'
import { KeyRotationService } from './key-rotation.service.js'
import { KeysController } from './keys.grpc.js'
import { KeysService } from './keys.service.js'
import { KeyUsageUpkeepService } from './key-usage-upkeep.service.js'
import { KeyUsesService } from './key-uses.service.js'
import { RateLimitsService } from './rate-limits.service.js'

@Module({
  imports: [AuditModule, UsersModule],
  controllers: [KeysController, KeyLifeController],
  providers: [
    KeyChangesService,
    KeyIssuer,
    KeyRemindersService,
    KeyRotationService,
    KeysService,
    KeyUsageUpkeepService,
    KeyUsesService,
    RateLimitsService,
  ],
  exports: [KeysService, KeyUsesService, RateLimitsService],
})
export class KeysModule {}
