import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import { CredentialsService } from '../users/credentials.service.js'
import { SessionsService } from './sessions.service.js'
import { SigningKeysService } from './signing-keys.service.js'
import { ThrottleService } from './throttle.service.js'

const INTERVAL_MS = 60_000

/** Rows that one statement deletes at most: nobody waits long for it. */
export const REAPED_AT_ONCE = 500

/**
 * What time demands, every minute: rotates signing keys, and deletes sessions, one-time tokens and failures that no
 * longer matter. Any number of processes may do so at once.
 */
@Injectable()
export class UpkeepService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('upkeep')
  private readonly repeated = new Repeated(
    () => this.run(),
    (error) => {
      this.logger.warn({ event: 'upkeep_failed', what: 'all', err: error })
    },
  )

  constructor(
    private readonly signingKeys: SigningKeysService,
    private readonly sessions: SessionsService,
    private readonly credentials: CredentialsService,
    private readonly throttle: ThrottleService,
  ) {}

  onApplicationBootstrap(): void {
    this.repeated.start(INTERVAL_MS)
  }

  onApplicationShutdown(): Promise<void> {
    return this.repeated.stop()
  }

  /** Does all of it once. What fails is logged and tried again the next time. */
  async run(): Promise<void> {
    await this.attempt('signing_keys', () => this.signingKeys.maintain())
    await this.attempt('sessions', () => untilFew(() => this.sessions.reap(REAPED_AT_ONCE)))
    await this.attempt('one_time_tokens', () =>
      untilFew(() => this.credentials.reapTokens(REAPED_AT_ONCE)),
    )
    await this.attempt('throttles', () => untilFew(() => this.throttle.reap(REAPED_AT_ONCE)))
  }

  private async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.logger.warn({ event: 'upkeep_failed', what, err: error })
    }
  }
}

/** Repeats a step of `REAPED_AT_ONCE` rows until less than that is left. */
export async function untilFew(reap: () => Promise<number>): Promise<void> {
  let reaped = REAPED_AT_ONCE
  while (reaped >= REAPED_AT_ONCE) reaped = await reap()
}
