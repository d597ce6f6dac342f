import { AppError, unavailable } from '@olytix/errors'
import type { AuditEvent } from './audit-event.js'

const BATCH = 500
/** So many wait in memory while the database does not answer. */
const MAX_WAITING = 10_000

interface Waiting {
  readonly event: AuditEvent
  /** Told when the event is committed, or with an error that it cannot be. Without it, the event waits until it can. */
  readonly done?: (error?: unknown) => void
}

/** Writes events in batches, one after the other: whatever comes while one is written goes with the next. */
export class EventWriter {
  private readonly waiting: Waiting[] = []
  private writing: Promise<void> | undefined

  constructor(
    private readonly insert: (events: readonly AuditEvent[]) => Promise<void>,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** Keeps an event for the next flush. @throws AppError UNAVAILABLE when too many wait already */
  keep(event: AuditEvent): void {
    if (this.waiting.length >= MAX_WAITING) throw unavailable('The audit trail')
    this.waiting.push({ event })
  }

  /** Resolves when the event is committed. @throws AppError UNAVAILABLE when it cannot be */
  write(event: AuditEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown): void => {
        if (error === undefined) resolve()
        else reject(unavailable('The audit trail', error))
      }
      this.waiting.push({ event, done })
      void this.flush()
    })
  }

  /** Writes all that waits. Never throws: what could not be written waits on. */
  flush(): Promise<void> {
    this.writing ??= this.drain().finally(() => {
      this.writing = undefined
    })
    return this.writing
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH)
      try {
        await this.insert(batch.map(({ event }) => event))
        for (const { done } of batch) done?.()
      } catch (error) {
        this.onTrouble(error)
        for (const { done } of batch) done?.(error)
        // What the database will never take must not keep out what comes after it.
        const isAway = error instanceof AppError && error.code === 'UNAVAILABLE'
        if (isAway) this.waiting.unshift(...batch.filter(({ done }) => !done))
        if (isAway) return
      }
    }
  }
}
