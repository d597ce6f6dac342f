import { Readable } from 'node:stream'
import type { TextRows } from '@olytix/postgres'
import type { Chunk, ResultColumn, RowFormat } from './result-column.js'

/** Rows that come batch by batch, at least one, and what ends them before their time. */
interface Rows {
  readonly batches: AsyncGenerator<TextRows, void, undefined>
  readonly ended: AbortSignal
  readonly reason: () => unknown
}

/** What became of a body: how many rows were written, and whether that was not all. */
export interface StreamOutcome {
  readonly rows: number
  readonly isCutShort: boolean
}

interface BodyOptions {
  readonly columns: readonly ResultColumn[]
  readonly format: RowFormat
  /** Runs once, before the body ends; a body whose `finish` fails breaks off. */
  readonly finish: (outcome: StreamOutcome) => Promise<void>
}

/**
 * The body of an answer, written as its rows come and no faster than it is read. It breaks off when its rows end before
 * their time, even while nobody reads: so that half an answer never looks whole.
 * @throws what the first batch throws
 */
export async function streamRows(
  { batches, ended, reason }: Rows,
  { columns, format, finish }: BodyOptions,
): Promise<Readable> {
  const first = await batches.next()
  const { fields, rows } = first.done ? { fields: [], rows: [] } : first.value
  const writer = await format.open(columns, fields)
  let isRead = false
  async function* chunks(): AsyncGenerator<Chunk, void, undefined> {
    isRead = true
    let count = rows.length
    let isCutShort = true
    try {
      yield writer.head
      yield writer.rows(rows)
      for await (const batch of batches) {
        count += batch.rows.length
        yield writer.rows(batch.rows)
      }
      isCutShort = false
    } finally {
      await finish({ rows: count, isCutShort })
    }
    yield writer.end()
  }
  const body = Readable.from(nonEmpty(chunks()), { objectMode: false })
  const breakOff = (): void => {
    const cause = reason()
    body.destroy(cause instanceof Error ? cause : new Error(String(cause)))
  }
  ended.addEventListener('abort', breakOff)
  body.once('close', () => {
    ended.removeEventListener('abort', breakOff)
    void batches.return()
    // Whoever left before the first piece has got nothing, but has asked.
    if (!isRead) finish({ rows: 0, isCutShort: true }).catch(() => undefined)
  })
  return body
}

/** An empty piece would look like the end of the body. */
async function* nonEmpty(
  chunks: AsyncGenerator<Chunk, void, undefined>,
): AsyncGenerator<Chunk, void, undefined> {
  for await (const chunk of chunks) if (chunk.length > 0) yield chunk
}
