import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { Database } from '@olytix/postgres'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import { addToWindows, listWindows, type WindowRow } from './rate-windows.queries.js'

/** How often replicas tell each other. */
const RECONCILE_MS = 500
/** A window that was opened just now is told soon: others may have opened theirs before. */
const FIRST_RECONCILE_MS = 20

export interface RateLimit {
  readonly requests: number
  readonly perSeconds: number
}

/** What a request found of the limit of its key. */
export interface RateUse {
  readonly isAllowed: boolean
  /** Requests that may still come in this window. */
  readonly remaining: number
  /** Until the window ends and all are allowed again. */
  readonly resetAfterMs: number
}

/** The present window of one key. It opens with a first request, so that no burst falls into two. */
export interface RateWindow {
  readonly keyId: string
  startedAtMs: number
  endsAtMs: number
  /** What this replica has let pass. */
  own: number
  /** How much of `own` the others know of. */
  told: number
  /** What others have let pass, as far as they have told. */
  others: number
}

/**
 * Counts the requests of keys that have a limit: here, once per request, in memory, in one step. Replicas add up what
 * they counted twice a second through PostgreSQL. One replica is exact; of several, each may let pass what it does not
 * know yet to be used up by others: at most what the others have let pass since they told last.
 */
@Injectable()
export class RateLimitsService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('rate-limits')
  private readonly windows = new Map<string, RateWindow>()
  private timer: NodeJS.Timeout | undefined
  private soon: NodeJS.Timeout | undefined
  private telling: Promise<void> | undefined

  constructor(
    private readonly database: Database,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.reconcile(), RECONCILE_MS).unref()
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer)
    clearTimeout(this.soon)
    await this.telling
    await this.reconcile()
  }

  /** Counts one request, if it may pass. A request that may not is not counted. */
  take(keyId: string, { requests, perSeconds }: RateLimit): RateUse {
    const nowMs = this.options.now().getTime()
    const window = this.openWindow(keyId, nowMs, perSeconds * 1000)
    const left = requests - window.own - window.others
    const resetAfterMs = window.endsAtMs - nowMs
    if (left <= 0) return { isAllowed: false, remaining: 0, resetAfterMs }
    window.own += 1
    return { isAllowed: true, remaining: left - 1, resetAfterMs }
  }

  /** Tells the other replicas what passed here, and learns what passed there. One at a time: nothing is told twice. */
  private async reconcile(): Promise<void> {
    this.soon = undefined
    this.telling ??= this.tell().finally(() => {
      this.telling = undefined
    })
    await this.telling
  }

  private async tell(): Promise<void> {
    const nowMs = this.options.now().getTime()
    for (const [keyId, window] of this.windows) {
      if (window.endsAtMs <= nowMs) this.windows.delete(keyId)
    }
    const open = [...this.windows.values()].map((window) => ({ ...window }))
    try {
      const shared = await this.share(open)
      for (const { keyId, own, startedAtMs } of open) {
        const window = this.windows.get(keyId)
        const row = shared.get(keyId)
        if (!row || window?.startedAtMs !== startedAtMs) continue
        window.told = own
        window.others = Math.max(0, row.used - own)
        window.startedAtMs = row.started_at.getTime()
        window.endsAtMs = row.ends_at.getTime()
      }
    } catch (error) {
      this.logger.warn({ event: 'rate_limits_not_reconciled', err: error })
    }
  }

  /** Writes only where there is something to tell. */
  private async share(open: readonly RateWindow[]): Promise<ReadonlyMap<string, WindowRow>> {
    const news = open.filter(({ own, told }) => own > told)
    const quiet = open.filter(({ own, told }) => own === told)
    const shared = await Promise.all([
      ...(news.length > 0 ? [addToWindows(this.database, news)] : []),
      ...(quiet.length > 0 ? [listWindows(this.database, quiet)] : []),
    ])
    return new Map(shared.flat().map((row) => [row.key_id, row]))
  }

  private openWindow(keyId: string, nowMs: number, lengthMs: number): RateWindow {
    const known = this.windows.get(keyId)
    const isOpen = known && nowMs < known.endsAtMs
    if (isOpen && known.endsAtMs - known.startedAtMs === lengthMs) return known
    const endsAtMs = nowMs + lengthMs
    const window = { keyId, startedAtMs: nowMs, endsAtMs, own: 0, told: 0, others: 0 }
    this.windows.set(keyId, window)
    this.soon ??= setTimeout(() => void this.reconcile(), FIRST_RECONCILE_MS).unref()
    return window
  }
}
