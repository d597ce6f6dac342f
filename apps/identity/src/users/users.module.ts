import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { RolesService } from './roles.service.js'
import { UsersService } from './users.service.js'

@Module({
  imports: [AuditModule],
  providers: [UsersService, RolesService],
  exports: [UsersService, RolesService],
})
export class UsersModule {}
