import { Logger } from '@nestjs/common'
import type { Clock } from '../clock.js'
import type { IdentityCalls, Told } from '../identity-calls.js'

/** Identity says something at least once a second: after this long nobody knows what has changed. */
const SILENCE_MS = 2_000
const CHECK_MS = 250
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000

/** What follows from changes. */
export interface ChangeListener {
  onChanges(ids: readonly string[], revision: number): void
  /** Everything may have changed. */
  onUnknown(revision: number): void
}

/**
 * Hears of all changes, in order and without a gap, or knows that it does not. It goes on where it was when a stream
 * ends, and starts a new one when it is silent, so that no late word passes for news.
 */
export class InvalidationWatch {
  private readonly logger = new Logger('invalidation-watch')
  private revision = 0
  private heardAtMs: number | undefined
  private openedAtMs = 0
  private failures = 0
  private endStream: (() => void) | undefined
  private cancelTimer: (() => void) | undefined
  private isStopped = false

  constructor(
    private readonly identity: Pick<IdentityCalls, 'watch'>,
    private readonly listener: ChangeListener,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /** Whether all changes are known, but for those of the last two seconds at most. */
  isInformed(): boolean {
    return this.heardAtMs !== undefined && this.clock.elapsedMs() - this.heardAtMs <= SILENCE_MS
  }

  start(): void {
    if (this.isStopped) return
    this.openedAtMs = this.clock.elapsedMs()
    let isOver = false
    const end = this.identity.watch(this.revision, {
      onTold: (told) => {
        if (!isOver) this.hear(told)
      },
      onEnd: () => {
        if (!isOver) this.startAgain('ended')
      },
    })
    this.endStream = () => {
      isOver = true
      end()
    }
    this.checkSoon()
  }

  stop(): void {
    this.isStopped = true
    this.close()
  }

  private hear(told: Told): void {
    // What comes after a silence may have been held up: it proves nothing about this moment.
    if (this.isSilent()) {
      this.startAgain('silent')
      return
    }
    const isGapless = told.revision === this.revision + told.changes.length
    const ids = told.changes.filter((id) => id !== undefined)
    if (!told.resync && !(isGapless && ids.length === told.changes.length)) {
      this.revision = 0
      this.listener.onUnknown(0)
      this.startAgain('incomprehensible')
      return
    }
    this.failures = 0
    this.heardAtMs = this.clock.elapsedMs()
    this.revision = told.revision
    if (told.resync) this.listener.onUnknown(told.revision)
    else if (ids.length > 0) this.listener.onChanges(ids, told.revision)
  }

  private checkSoon(): void {
    this.cancelTimer = this.clock.after(CHECK_MS, () => {
      if (this.isSilent()) this.startAgain('silent')
      else this.checkSoon()
    })
  }

  private isSilent(): boolean {
    return this.clock.elapsedMs() - (this.heardAtMs ?? this.openedAtMs) > SILENCE_MS
  }

  private startAgain(why: string): void {
    if (this.heardAtMs !== undefined) this.logger.warn({ event: 'watch_lost', why })
    this.close()
    if (this.isStopped) return
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures)
    this.failures += 1
    this.cancelTimer = this.clock.after(waitMs * (0.5 + this.random() / 2), () => {
      this.start()
    })
  }

  private close(): void {
    this.heardAtMs = undefined
    this.cancelTimer?.()
    this.endStream?.()
    this.endStream = undefined
  }
}
