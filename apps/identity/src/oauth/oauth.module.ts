import { Module } from '@nestjs/common'
import { AuditModule } from '../audit/audit.module.js'
import { TokensModule } from '../tokens/tokens.module.js'
import { UsersModule } from '../users/users.module.js'
import { AccountsService } from './accounts.service.js'
import { BeginSignInService } from './begin-sign-in.service.js'
import { CodesService } from './codes.service.js'
import { FinishSignInService } from './finish-sign-in.service.js'
import { IdentificationService } from './identification.service.js'
import { IdentitiesService } from './identities.service.js'
import { OAuthUpkeepService } from './oauth-upkeep.service.js'
import { OAuthController } from './oauth.grpc.js'
import { StatesService } from './states.service.js'

@Module({
  imports: [AuditModule, TokensModule, UsersModule],
  controllers: [OAuthController],
  providers: [
    AccountsService,
    BeginSignInService,
    CodesService,
    FinishSignInService,
    IdentificationService,
    IdentitiesService,
    OAuthUpkeepService,
    StatesService,
  ],
})
export class OAuthModule {}
