import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import type { Database } from '@olytix/postgres'
import type { AuditEvent } from './audit-event.js'
import {
  type EventFilter,
  type EventRow,
  insertEvents,
  listEvents,
  pruneEvents,
} from './audit.queries.js'
import { type Clock, systemClock } from './clock.js'
import { EventWriter } from './event-writer.js'
import { RefusalFolder } from './refusal-folder.js'

const FLUSH_INTERVAL_MS = 250
const PRUNE_INTERVAL_MS = 3_600_000
const PRUNE_BATCH = 5000
const DAY_MS = 86_400_000

interface AuditOptions {
  readonly isEnabled: boolean
  /** `strict`: an answer waits until its event is committed. `batched`: events are written a moment later. */
  readonly durability: 'batched' | 'strict'
  /** Older events are removed, an hour later at most; `undefined`: never. */
  readonly retentionDays?: number | undefined
  readonly clock?: Clock
}

/** The trail of questions: who asked for which numbers, what applied, and what was refused. */
export class AuditService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('audit')
  private readonly writer: EventWriter
  private readonly refusals = new RefusalFolder()
  private readonly flushing: Repeated
  private readonly pruning: Repeated
  readonly clock: Clock

  constructor(
    private readonly database: Database,
    private readonly options: AuditOptions,
  ) {
    this.clock = options.clock ?? systemClock
    const tell = (event: string) => (error: unknown) => {
      this.logger.warn({ event, err: error })
    }
    this.writer = new EventWriter(
      (events) => insertEvents(database, events),
      tell('audit_events_not_written'),
    )
    this.flushing = new Repeated(() => this.flush(), tell('audit_events_not_written'))
    this.pruning = new Repeated(() => this.prune(), tell('audit_events_not_pruned'))
  }

  onModuleInit(): void {
    this.flushing.start(FLUSH_INTERVAL_MS)
    if (this.options.retentionDays !== undefined) this.pruning.start(PRUNE_INTERVAL_MS)
  }

  /** After the last answer. */
  async onApplicationShutdown(): Promise<void> {
    await this.flushing.stop()
    await this.pruning.stop()
    this.keepCounted(Infinity)
    await this.writer.flush()
    // One more: an event may have come while the last batch was being written.
    await this.writer.flush()
  }

  /**
   * Call it before the answer ends: who gets no event written gets no answer.
   * @throws AppError UNAVAILABLE when an event cannot be written (strict), or too many wait already
   */
  async record(...events: readonly AuditEvent[]): Promise<void> {
    if (!this.options.isEnabled) return
    if (this.options.durability === 'strict') {
      await Promise.all(events.map((event) => this.writer.write(event)))
    } else {
      for (const event of events) this.writer.keep(event)
    }
  }

  /** The same for a refusal, which stays one whatever becomes of its event. Floods of them are counted. */
  async recordRefusal(event: AuditEvent): Promise<void> {
    try {
      if (this.options.isEnabled && this.refusals.admits(event)) await this.record(event)
    } catch (error) {
      this.logger.warn({ event: 'refusal_not_written', err: error })
    }
  }

  /** Removes what is older than it is to be kept, in small batches. */
  async prune(): Promise<void> {
    const { retentionDays } = this.options
    if (retentionDays === undefined) return
    const olderThan = new Date(this.clock.now().getTime() - retentionDays * DAY_MS)
    let pruned: number
    do pruned = await pruneEvents(this.database, olderThan, PRUNE_BATCH)
    while (pruned === PRUNE_BATCH)
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

  private async flush(): Promise<void> {
    this.keepCounted(this.clock.now().getTime())
    await this.writer.flush()
  }

  private keepCounted(nowMs: number): void {
    for (const event of this.refusals.take(nowMs)) this.writer.keep(event)
  }
}
