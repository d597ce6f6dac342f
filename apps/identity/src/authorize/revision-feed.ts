import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'

const CHANNEL = 'olytix_revision'
const POLL_MS = 200
/** A read that takes longer is not waited for any more: its connection may be dead. */
const READ_TIMEOUT_MS = 2_000

type Listener = (revision: number) => void

/**
 * Tells the present revision several times a second, and within milliseconds of a change of any replica, for as long
 * as somebody listens. A notification is only a hint to read at once: one that is lost costs at most `POLL_MS`.
 * While the database does not answer, nothing is told.
 */
@Injectable()
export class RevisionFeed implements OnApplicationShutdown {
  private readonly logger = new Logger('revision-feed')
  private readonly listeners = new Set<Listener>()
  private timer: NodeJS.Timeout | undefined
  private readStartedAt: number | undefined
  private isHinted = false
  private hints: { stop: () => void } | undefined
  private isListening = false

  constructor(
    private readonly database: Database,
    private readonly audit: AuditService,
  ) {}

  onApplicationShutdown(): void {
    this.listeners.clear()
    this.pause()
  }

  /** @returns ends it */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener)
    this.timer ??= setInterval(() => {
      this.poll()
    }, POLL_MS)
    this.poll()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size === 0) this.pause()
    }
  }

  private poll(): void {
    void this.listen()
    void this.read()
  }

  private pause(): void {
    clearInterval(this.timer)
    this.timer = undefined
    if (!this.hints) return
    this.hints.stop()
    this.hints = undefined
    this.isListening = false
  }

  /** One read at a time; a hint that comes meanwhile causes one more. */
  private async read(): Promise<void> {
    const startedAt = performance.now()
    if (this.readStartedAt !== undefined && startedAt - this.readStartedAt < READ_TIMEOUT_MS) return
    this.readStartedAt = startedAt
    try {
      do {
        this.isHinted = false
        const revision = await this.audit.revision()
        for (const listener of this.listeners) listener(revision)
      } while (this.hasBeenHinted())
    } catch (error) {
      this.logger.warn({ event: 'revision_not_read', err: error })
    } finally {
      if (this.readStartedAt === startedAt) this.readStartedAt = undefined
    }
  }

  private hasBeenHinted(): boolean {
    return this.isHinted
  }

  private async listen(): Promise<void> {
    if (this.isListening) return
    this.isListening = true
    try {
      this.hints = await this.database.listen(
        CHANNEL,
        () => {
          this.isHinted = true
          void this.read()
        },
        () => {
          this.isListening = false
        },
      )
      if (!this.timer) this.pause()
    } catch (error) {
      this.isListening = false
      this.logger.warn({ event: 'notifications_not_heard', err: error })
    }
  }
}
