import { Injectable } from '@nestjs/common'
import { untilFew, Upkeep } from '../upkeep/upkeep.js'
import { CredentialsService } from '../users/credentials.service.js'
import { SessionsService } from './sessions.service.js'
import { SigningKeysService } from './signing-keys.service.js'
import { ThrottleService } from './throttle.service.js'

const INTERVAL_MS = 60_000

/** Every minute: rotates signing keys, and deletes sessions, one-time tokens and failures that no longer matter. */
@Injectable()
export class UpkeepService extends Upkeep {
  constructor(
    signingKeys: SigningKeysService,
    sessions: SessionsService,
    credentials: CredentialsService,
    throttle: ThrottleService,
  ) {
    super(INTERVAL_MS, {
      signing_keys: () => signingKeys.maintain(),
      sessions: () => untilFew((limit) => sessions.reap(limit)),
      one_time_tokens: () => untilFew((limit) => credentials.reapTokens(limit)),
      throttles: () => untilFew((limit) => throttle.reap(limit)),
    })
  }
}
