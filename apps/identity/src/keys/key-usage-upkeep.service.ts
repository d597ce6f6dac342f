import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import { Database } from '@olytix/postgres'
import { deleteUsageBefore } from './key-usage.queries.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'

const INTERVAL_MS = 3_600_000
const DAY_MS = 86_400_000

/** Usage by the hour is kept so long: a year can be compared with the one before. */
export const USAGE_KEPT_DAYS = 400

/** Rows that one statement deletes at most: nobody waits long for it. */
export const USAGE_REAPED_AT_ONCE = 1_000

/** Deletes usage that is too old, every hour. Any number of processes may do so at once. */
@Injectable()
export class KeyUsageUpkeepService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('key-usage-upkeep')
  private readonly repeated = new Repeated(
    () => this.run(),
    (error) => {
      this.logger.warn({ event: 'upkeep_failed', what: 'key_usage', err: error })
    },
  )

  constructor(
    private readonly database: Database,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  onModuleInit(): void {
    this.repeated.start(INTERVAL_MS)
  }

  onApplicationShutdown(): Promise<void> {
    return this.repeated.stop()
  }

  /** Does it once, in small batches. */
  async run(): Promise<void> {
    const before = new Date(this.options.now().getTime() - USAGE_KEPT_DAYS * DAY_MS)
    let deleted = USAGE_REAPED_AT_ONCE
    while (deleted === USAGE_REAPED_AT_ONCE) {
      deleted = await deleteUsageBefore(this.database, before, USAGE_REAPED_AT_ONCE)
    }
  }
}
