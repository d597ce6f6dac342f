import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import { Database } from '@olytix/postgres'
import { keyNotFound } from './keys.errors.js'
import { addUses, findLastClientIp, listUsage, type UsageRow } from './key-usage.queries.js'

const FLUSH_INTERVAL_MS = 5_000
const HOUR_MS = 3_600_000

/** Some requests that were made with a key and ended alike. */
export interface KeyUse {
  readonly keyId: string
  /** `allowed`, or the reason of the denial. */
  readonly outcome: string
  /** Of the latest of them. */
  readonly at: Date
  readonly clientIp: string | null
  readonly requests: number
}

/** What is remembered of one key between two writes. */
export interface NotedKey {
  readonly keyId: string
  /** The latest request that was allowed. */
  last: { readonly at: Date; readonly clientIp: string | null } | undefined
  readonly counts: Map<string, NotedCount>
}

export interface NotedCount {
  readonly hour: Date
  readonly outcome: string
  requests: number
}

/** From when (inclusive) to when (exclusive), and how finely. */
export interface UsageSpan {
  readonly from: Date
  readonly to: Date
  readonly unit: 'hour' | 'day'
}

/**
 * Remembers when each key was last used, from where, and how its requests ended, and writes it every few seconds, one
 * statement for all: checking a key writes nothing. As large as the number of keys in use between two writes.
 */
@Injectable()
export class KeyUsesService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('key-uses')
  private noted = new Map<string, NotedKey>()
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly database: Database) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS).unref()
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer)
    await this.flush()
  }

  note({ keyId, outcome, at, clientIp, requests }: KeyUse): void {
    const key = this.notedKey(keyId)
    if (outcome === 'allowed' && (!key.last || key.last.at < at)) key.last = { at, clientIp }
    const hour = new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS)
    count(key, { hour, outcome, requests })
  }

  /** Writes what was noted; keeps it for the next time if the database does not answer. */
  async flush(): Promise<void> {
    if (this.noted.size === 0) return
    const noted = this.noted
    this.noted = new Map()
    try {
      await addUses(this.database, [...noted.values()])
    } catch (error) {
      // What the database will never take must not keep out what comes after it.
      const isAway = error instanceof AppError && error.code === 'UNAVAILABLE'
      if (isAway) for (const key of noted.values()) this.keep(key)
      this.logger.warn({ event: 'uses_not_written', err: error })
    }
  }

  /**
   * Requests by outcome of each hour or day that had any, what is noted here included.
   * @throws AppError NOT_FOUND
   */
  async usageOf(
    keyId: string,
    span: UsageSpan,
  ): Promise<{ readonly buckets: readonly UsageRow[]; readonly lastClientIp: string | null }> {
    await this.flush()
    const key = await findLastClientIp(this.database, keyId)
    if (!key) throw keyNotFound()
    return {
      buckets: await listUsage(this.database, keyId, span),
      lastClientIp: key.last_client_ip,
    }
  }

  private keep(lost: NotedKey): void {
    const key = this.notedKey(lost.keyId)
    if (lost.last && (!key.last || key.last.at < lost.last.at)) key.last = lost.last
    for (const each of lost.counts.values()) count(key, each)
  }

  private notedKey(keyId: string): NotedKey {
    const known = this.noted.get(keyId)
    if (known) return known
    const key: NotedKey = { keyId, last: undefined, counts: new Map() }
    this.noted.set(keyId, key)
    return key
  }
}

function count(key: NotedKey, { hour, outcome, requests }: NotedCount): void {
  const name = `${String(hour.getTime())} ${outcome}`
  const known = key.counts.get(name)
  if (known) known.requests += requests
  else key.counts.set(name, { hour, outcome, requests })
}
