import { Module } from '@nestjs/common'
import { AuditController } from './audit.grpc.js'
import { AuditService } from './audit.service.js'
import { EventsService } from './events.service.js'

@Module({
  controllers: [AuditController],
  providers: [AuditService, EventsService],
  exports: [AuditService],
})
export class AuditModule {}
