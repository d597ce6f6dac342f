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

interface Entry<T> {
  readonly edition: object
  readonly rows: T
}

/**
 * Answers that may be given again for a while. They are known by everything that the database was told: the statement,
 * its values, and all settings of the transaction, which say who asks. So nobody is given what was read for another.
 * Equal questions at the same time share one statement. An error is nobody's answer: it is not kept.
 */
export class KeptAnswers {
  private readonly answers: LRUCache<string, Entry<TextRows>>
  private readonly running = new Map<string, Entry<Promise<TextRows>>>()

  constructor(
    private readonly now: () => number,
    maxBytes: number,
  ) {
    this.answers = new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: Math.ceil(maxBytes / 4),
      sizeCalculation: ({ rows }) => bytesOf(rows),
      perf: { now },
      ttlResolution: 0,
    })
  }

  /** @throws whatever `run` throws, also for those who wait for the same run */
  async read(
    asked: Asked,
    { forMs, edition }: Reuse,
    run: () => Promise<TextRows>,
  ): Promise<KeptRows> {
    const key = keyOf(asked)
    const known = this.answers.get(key)
    if (known?.edition === edition) return { rows: known.rows, isKept: true }
    const running = this.running.get(key)
    if (running?.edition === edition) return { rows: await running.rows, isKept: true }
    const start = this.now()
    const own = { edition, rows: run() }
    this.running.set(key, own)
    try {
      const rows = await own.rows
      this.answers.set(key, { edition, rows }, { ttl: forMs, start })
      return { rows, isKept: false }
    } finally {
      if (this.running.get(key) === own) this.running.delete(key)
    }
  }
}

/** A digest, since values may be long and hold the key of masks. */
function keyOf({ statement, settings }: Asked): string {
  const { text, values } = statement
  const all = JSON.stringify([text, values, Object.entries(settings).sort()])
  return createHash('sha256').update(all).digest('base64')
}

/** About as much as they take in memory. */
function bytesOf({ fields, rows }: TextRows): number {
  const cells = rows.reduce((sum, row) => {
    return row.reduce((bytes, cell) => bytes + 24 + (cell?.length ?? 0) * 2, sum + 64)
  }, 0)
  return 1024 + fields.length * 128 + cells
}
