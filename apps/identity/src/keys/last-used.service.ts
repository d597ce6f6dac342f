import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import { updateLastUsed } from './keys.queries.js'

const FLUSH_INTERVAL_MS = 5_000

/**
 * Remembers when each key was last used and writes it every few seconds, one statement for all: checking a key writes
 * nothing. As large as the number of keys in use between two writes.
 */
@Injectable()
export class LastUsedService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('last-used')
  private uses = new Map<string, Date>()
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly database: Database) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS).unref()
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer)
    await this.flush()
  }

  note(keyId: string, usedAt: Date): void {
    const known = this.uses.get(keyId)
    if (!known || known < usedAt) this.uses.set(keyId, usedAt)
  }

  /** Writes what was noted; keeps it for the next time if the database does not take it. */
  async flush(): Promise<void> {
    if (this.uses.size === 0) return
    const uses = this.uses
    this.uses = new Map()
    try {
      await updateLastUsed(this.database, uses)
    } catch (error) {
      for (const [keyId, usedAt] of uses) this.note(keyId, usedAt)
      this.logger.warn({ event: 'last_used_not_written', err: error })
    }
  }
}
