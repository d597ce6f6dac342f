import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import type { Database } from '@olytix/postgres'
import type { AuditEvent } from './audit-event.js'
import { type EventFilter, type EventRow, insertEvents, listEvents } from './audit.queries.js'
import { EventWriter } from './event-writer.js'

const FLUSH_INTERVAL_MS = 250

interface AuditOptions {
  readonly isEnabled: boolean
  /** `strict`: an answer waits until its event is committed. `batched`: events are written a moment later. */
  readonly durability: 'batched' | 'strict'
}

/** The trail of questions: who asked for which numbers, what applied, and what was refused. */
export class AuditService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('audit')
  private readonly writer: EventWriter
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly database: Database,
    private readonly options: AuditOptions,
  ) {
    this.writer = new EventWriter(
      (events) => insertEvents(database, events),
      (error) => {
        this.logger.warn({ event: 'audit_events_not_written', err: error })
      },
    )
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.writer.flush(), FLUSH_INTERVAL_MS).unref()
  }

  /** After the last answer. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer)
    await this.writer.flush()
    // One more: an event may have come while the last batch was being written.
    await this.writer.flush()
  }

  /**
   * Call it before the answer ends: who gets no event written gets no answer.
   * @throws AppError UNAVAILABLE when the event cannot be written (strict), or too many wait already
   */
  async record(event: AuditEvent): Promise<void> {
    if (!this.options.isEnabled) return
    if (this.options.durability === 'strict') await this.writer.write(event)
    else this.writer.keep(event)
  }

  /** The same for a refusal, which stays one whatever becomes of its event. */
  async recordRefusal(event: AuditEvent): Promise<void> {
    try {
      await this.record(event)
    } catch (error) {
      this.logger.warn({ event: 'refusal_not_written', err: error })
    }
  }

  /** One page of events, newest first, and the id to go on from. */
  async list(
    filter: EventFilter,
    page: { readonly size: number; readonly beforeId: string | null },
  ): Promise<{ readonly events: readonly EventRow[]; readonly nextId: string | null }> {
    const found = await listEvents(this.database, filter, {
      beforeId: page.beforeId,
      limit: page.size + 1,
    })
    const events = found.slice(0, page.size)
    return { events, nextId: found.length > page.size ? (events.at(-1)?.id ?? null) : null }
  }
}
