import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { CredentialsService } from './credentials.service.js'
import { PasswordsService } from './passwords.service.js'
import { RolesService } from './roles.service.js'
import { UsersService } from './users.service.js'

@Module({
  imports: [AuditModule],
  providers: [CredentialsService, PasswordsService, RolesService, UsersService],
  exports: [CredentialsService, RolesService, UsersService],
})
export class UsersModule {}
