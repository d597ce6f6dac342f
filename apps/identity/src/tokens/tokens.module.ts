import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { UsersModule } from '../users/users.module.js'
import { AccessTokensService } from './access-tokens.service.js'
import { SessionsController } from './sessions.grpc.js'
import { SessionsService } from './sessions.service.js'
import { SignInService } from './sign-in.service.js'
import { SigningKeysController } from './signing-keys.grpc.js'
import { SigningKeysService } from './signing-keys.service.js'
import { ThrottleService } from './throttle.service.js'
import { TokenFactory } from './token-factory.js'
import { TokensController } from './tokens.grpc.js'
import { UpkeepService } from './upkeep.service.js'

@Module({
  imports: [AuditModule, UsersModule],
  controllers: [TokensController, SessionsController, SigningKeysController],
  providers: [
    AccessTokensService,
    SessionsService,
    SignInService,
    SigningKeysService,
    ThrottleService,
    TokenFactory,
    UpkeepService,
  ],
  exports: [AccessTokensService, SessionsService, SigningKeysService],
})
export class TokensModule {}
