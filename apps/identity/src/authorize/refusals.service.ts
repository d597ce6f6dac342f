import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { AppError } from '@olytix/errors'
import { Database } from '@olytix/postgres'
import { AuditService, type PastEvent } from '../audit/audit.service.js'
import { AUTHORIZE_OPTIONS, type AuthorizeOptions } from './authorize.options.js'
import { type Refusal, RefusalLedger } from './refusal-ledger.js'

const FLUSH_INTERVAL_MS = 1_000
const BATCH = 500

/** Brings refusals into the audit trail, every second and at the end: refusing writes nothing on its way. */
@Injectable()
export class RefusalsService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('refusals')
  private readonly ledger = new RefusalLedger()
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly database: Database,
    private readonly audit: AuditService,
    @Inject(AUTHORIZE_OPTIONS) private readonly options: AuthorizeOptions,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => {
      this.flush(this.options.now())
    }, FLUSH_INTERVAL_MS).unref()
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer)
    this.flush(null)
    await this.writing
  }

  note(refusal: Omit<Refusal, 'at'>): void {
    this.ledger.note({ ...refusal, at: this.options.now() })
  }

  /** One write after the other, so that events keep their order. */
  private flush(now: Date | null): void {
    const events = this.ledger.take(now)
    if (events.length > 0) this.writing = this.writing.then(() => this.write(events))
  }

  private async write(events: readonly PastEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += BATCH) {
      const batch = events.slice(start, start + BATCH)
      try {
        await this.database.transaction((transaction) => this.audit.recordPast(transaction, batch))
      } catch (error) {
        this.logger.warn({ event: 'refusals_not_written', err: error })
        // What the database will never take must not keep out what comes after it.
        const isAway = error instanceof AppError && error.code === 'UNAVAILABLE'
        this.ledger.putBack(events.slice(isAway ? start : start + BATCH))
        return
      }
    }
  }
}
