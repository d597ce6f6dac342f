import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import { Database } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin } from '../audit/origin.js'
import { markReminded } from './key-reminders.queries.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'

const INTERVAL_MS = 60_000
const BATCH = 500

const BY_THE_SERVICE: Origin = { principal: null, requestId: 'reminders', clientIp: null }

/**
 * Records that a key will end, 30, 7 and 1 days ahead, each once however many replicas look for it. A key that is
 * found late gets the most urgent reminder only; one whose whole life is shorter than the notice gets none of it.
 */
@Injectable()
export class KeyRemindersService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('key-reminders')
  private readonly repeated = new Repeated(
    () => this.remind(),
    (error) => {
      this.logger.warn({ event: 'reminders_not_recorded', err: error })
    },
  )

  constructor(
    private readonly database: Database,
    private readonly audit: AuditService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  onModuleInit(): void {
    this.repeated.start(INTERVAL_MS)
  }

  onApplicationShutdown(): Promise<void> {
    return this.repeated.stop()
  }

  /** @returns how many reminders it recorded */
  async remind(): Promise<number> {
    let recorded = 0
    for (let batch = BATCH; batch === BATCH; recorded += batch) batch = await this.remindSome()
    return recorded
  }

  private remindSome(): Promise<number> {
    const now = this.options.now()
    return this.database.transaction(async (transaction) => {
      const due = await markReminded(transaction, now, BATCH)
      const events = due.map(({ id, name, expires_at, reminded_days: days_ahead }) => ({
        type: 'key_expiring' as const,
        subjectKind: 'key' as const,
        subjectId: id,
        data: { name, expires_at, days_ahead },
        timestamp: now,
        origin: BY_THE_SERVICE,
      }))
      if (events.length > 0) await this.audit.recordPast(transaction, events)
      return due.length
    })
  }
}
