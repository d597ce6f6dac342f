import { Injectable } from '@nestjs/common'
import { untilFew, Upkeep } from '../upkeep/upkeep.js'
import { CodesService } from './codes.service.js'
import { StatesService } from './states.service.js'

const INTERVAL_MS = 60_000

/** Deletes sign-ins that were never finished and codes that are over, every minute. */
@Injectable()
export class OAuthUpkeepService extends Upkeep {
  constructor(states: StatesService, codes: CodesService) {
    super(INTERVAL_MS, {
      oauth_states: () => untilFew((limit) => states.reap(limit)),
      oauth_codes: () => untilFew((limit) => codes.reap(limit)),
    })
  }
}
