import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { CredentialsService } from './credentials.service.js'
import { PasswordsService } from './passwords.service.js'
import { RolesController } from './roles.grpc.js'
import { RolesService } from './roles.service.js'
import { UserTrail } from './user-trail.js'
import { UsersController } from './users.grpc.js'
import { UsersService } from './users.service.js'

@Module({
  imports: [AuditModule],
  controllers: [UsersController, RolesController],
  providers: [CredentialsService, PasswordsService, RolesService, UserTrail, UsersService],
  exports: [CredentialsService, RolesService, UsersService],
})
export class UsersModule {}
