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
      const isAway = await this.insertBatch(batch)
      if (isAway) return
    }
  }

  /** @returns whether the database is away: then those that nobody waits for stay */
  private async insertBatch(batch: readonly Waiting[]): Promise<boolean> {
    try {
      await this.insert(batch.map(({ event }) => event))
      for (const { done } of batch) done?.()
      return false
    } catch (error) {
      const isAway = error instanceof AppError && error.code === 'UNAVAILABLE'
      // One that the database will never take must not take its neighbours with it.
      if (!isAway && batch.length > 1) return this.insertOneByOne(batch)
      this.onTrouble(error)
      for (const { done } of batch) done?.(error)
      if (isAway) this.waiting.unshift(...batch.filter(({ done }) => !done))
      return isAway
    }
  }

  private async insertOneByOne(batch: readonly Waiting[]): Promise<boolean> {
    for (const [at, each] of batch.entries()) {
      if (!(await this.insertBatch([each]))) continue
      this.waiting.splice(each.done ? 0 : 1, 0, ...batch.slice(at + 1))
      return true
    }
    return false
  }
}
