import { Logger } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import type { Clock } from '../clock.js'
import type { IdentityCalls, KeyUse } from '../identity-calls.js'

const FLUSH_MS = 2_000
/** As many as identity takes at once. */
const MAX_USES = 1_000

type Noted = { -readonly [field in keyof KeyUse]: KeyUse[field] }

/**
 * Counts requests that were let pass with a key without asking, and reports them every few seconds. A report that
 * identity did not confirm is made again, so that a use is rather counted twice than lost.
 */
export class UseLedger {
  private readonly logger = new Logger('use-ledger')
  private uses = new Map<string, Noted>()
  private cancelTimer: (() => void) | undefined
  private flushing: Promise<void> = Promise.resolve()

  constructor(
    private readonly identity: Pick<IdentityCalls, 'recordUses'>,
    private readonly clock: Clock,
  ) {}

  note(keyId: string, clientIp: string): void {
    this.add({ keyId, requests: 1, lastAt: this.clock.now(), clientIp })
  }

  /** Reports what was noted up to now. One report at a time; never fails. */
  flush(): Promise<void> {
    this.flushing = this.flushing.then(() => this.report())
    return this.flushing
  }

  /** Reports the rest. Nothing may be noted after that. */
  async close(): Promise<void> {
    await this.flush()
    this.cancelTimer?.()
    if (this.uses.size > 0) this.logger.error({ event: 'uses_lost', keys: this.uses.size })
  }

  private async report(): Promise<void> {
    const uses = [...this.uses.values()]
    this.uses = new Map()
    for (let from = 0; from < uses.length; from += MAX_USES) {
      await this.reportSome(uses.slice(from, from + MAX_USES))
    }
  }

  private async reportSome(uses: readonly Noted[]): Promise<void> {
    try {
      await this.identity.recordUses(uses)
    } catch (error) {
      // What identity will never take must not keep out what comes after it.
      const isAway = error instanceof AppError && error.code === 'UNAVAILABLE'
      if (isAway) for (const use of uses) this.add(use)
      this.logger.warn({ event: 'uses_not_reported', err: error })
    }
  }

  private add(use: Noted): void {
    this.cancelTimer ??= this.clock.after(FLUSH_MS, () => {
      this.cancelTimer = undefined
      void this.flush()
    })
    const known = this.uses.get(use.keyId)
    if (!known) {
      this.uses.set(use.keyId, use)
      return
    }
    known.requests += use.requests
    if (known.lastAt > use.lastAt) return
    known.lastAt = use.lastAt
    known.clientIp = use.clientIp
  }
}
