import { createHash } from 'node:crypto'
import type { Settings, Statement, TextRows } from '@olytix/postgres'
import { LRUCache } from 'lru-cache'

/** How long an answer may be given again. */
export interface Reuse {
  readonly forMs: number
  /** An answer is given again only for the very same object: the project that the question was planned in. */
  readonly edition: object
}

/** Rows, and whether they were read for an earlier question, or for an equal one at the same time. */
export interface KeptRows {
  readonly rows: TextRows
  readonly isKept: boolean
}

/** All that the database is told. */
interface Asked {
  readonly statement: Statement
  readonly settings: Settings
}

interface KeptAnswer {
  readonly rows: TextRows
  /** When it was asked for, on the clock of all answers. */
  readonly readAt: number
}

/** What is kept of one edition. */
interface Edition {
  readonly answers: LRUCache<string, KeptAnswer>
  readonly running: Map<string, Promise<TextRows>>
}

/**
 * Answers that may be given again for a while. They are known by everything that the database was told: the statement,
 * its values, and all settings of the transaction, which say who asks. So nobody is given what was read for another.
 * Equal questions at the same time share one statement. An error is nobody's answer: it is not kept. With its edition
 * everything goes that was kept of it.
 */
export class KeptAnswers {
  private readonly editions = new WeakMap<object, Edition>()

  constructor(
    private readonly now: () => number,
    private readonly maxBytes: number,
  ) {}

  /** @throws whatever `run` throws, also for those who wait for the same run */
  async read(
    asked: Asked,
    { forMs, edition }: Reuse,
    run: () => Promise<TextRows>,
  ): Promise<KeptRows> {
    const { answers, running } = this.of(edition)
    const key = keyOf(asked)
    const known = answers.get(key)?.rows ?? running.get(key)
    if (known) return { rows: await known, isKept: true }
    const start = this.now()
    const own = run()
    running.set(key, own)
    try {
      const rows = await own
      answers.set(key, { rows, readAt: start }, { ttl: forMs, start })
      return { rows, isKept: false }
    } finally {
      running.delete(key)
    }
  }

  /**
   * How many milliseconds ago the answer was read that would be given again now; `undefined`: there is none. To look
   * changes nothing, not even what leaves first.
   */
  ageMs(asked: Asked, edition: object): number | undefined {
    const kept = this.editions.get(edition)?.answers.peek(keyOf(asked))
    return kept && this.now() - kept.readAt
  }

  private of(edition: object): Edition {
    const known = this.editions.get(edition)
    if (known) return known
    const made = { answers: this.emptyAnswers(), running: new Map<string, Promise<TextRows>>() }
    this.editions.set(edition, made)
    return made
  }

  private emptyAnswers(): LRUCache<string, KeptAnswer> {
    return new LRUCache({
      maxSize: this.maxBytes,
      maxEntrySize: Math.ceil(this.maxBytes / 4),
      sizeCalculation: bytesOf,
      perf: { now: this.now },
      ttlResolution: 0,
    })
  }
}

/** A digest, since values may be long and hold the key of masks. */
function keyOf({ statement, settings }: Asked): string {
  const { text, values } = statement
  const all = JSON.stringify([text, values, Object.entries(settings).sort()])
  return createHash('sha256').update(all).digest('base64')
}

/** About as much as they take in memory. */
function bytesOf({ rows: { fields, rows } }: KeptAnswer): number {
  const cells = rows.reduce((sum, row) => {
    return row.reduce((bytes, cell) => bytes + 24 + (cell?.length ?? 0) * 2, sum + 64)
  }, 0)
  return 1024 + fields.length * 128 + cells
}
