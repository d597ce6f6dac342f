import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import { REAPED_AT_ONCE, untilFew } from '../tokens/upkeep.service.js'
import { CodesService } from './codes.service.js'
import { StatesService } from './states.service.js'

const INTERVAL_MS = 60_000

/** Deletes sign-ins that were never finished and codes that are over, every minute. Any number may do so at once. */
@Injectable()
export class OAuthUpkeepService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('oauth-upkeep')
  private readonly repeated = new Repeated(
    () => this.run(),
    (error) => {
      this.logger.warn({ event: 'upkeep_failed', what: 'oauth', err: error })
    },
  )

  constructor(
    private readonly states: StatesService,
    private readonly codes: CodesService,
  ) {}

  onApplicationBootstrap(): void {
    this.repeated.start(INTERVAL_MS)
  }

  onApplicationShutdown(): Promise<void> {
    return this.repeated.stop()
  }

  /** Does it once. */
  async run(): Promise<void> {
    await untilFew(() => this.states.reap(REAPED_AT_ONCE))
    await untilFew(() => this.codes.reap(REAPED_AT_ONCE))
  }
}
