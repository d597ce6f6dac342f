import pg from 'pg'
import type { Settings, TextRows } from './read-transaction.js'
import type { Statement } from './sql.js'

interface CursorOptions {
  readonly url: string
  readonly maxConnections: number
  /** How long to wait for a connection, in milliseconds. */
  readonly acquireTimeoutMs: number
  readonly onError?: (error: Error) => void
}

const ROWS_AT_ONCE = 1000
const AS_TEXT = { getTypeParser: () => (value: string | Buffer) => String(value) }

/**
 * Reads answers of any length a thousand rows at a time, so that they never stand in memory as a whole. Has connections
 * of its own: a cursor and a pipeline exclude each other.
 */
export class CursorReader {
  private readonly pool: pg.Pool

  constructor(private readonly options: CursorOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections,
      connectionTimeoutMillis: options.acquireTimeoutMs,
      keepAlive: true,
    })
    this.pool.on('error', (error) => options.onError?.(error))
    this.pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)))
  }

  /**
   * At least one batch, the last one perhaps empty.
   * @param signal ends the statement in the database, too
   * @throws whatever `pg` throws; the connection is clean or gone afterwards
   */
  async *read(
    statement: Statement,
    settings: Settings,
    signal: AbortSignal,
  ): AsyncGenerator<TextRows, void, undefined> {
    const client = await this.pool.connect()
    const cancel = (): void => void this.cancel(client)
    let isClean = false
    signal.addEventListener('abort', cancel)
    try {
      await client.query('begin read only')
      await client.query(
        'select set_config(k, v, true) from unnest($1::text[], $2::text[]) as s (k, v)',
        [Object.keys(settings), Object.values(settings)],
      )
      const { text, values } = statement
      await client.query(`declare answer no scroll cursor for ${text}`, [...values])
      for (let isMore = true; isMore && !signal.aborted;) {
        const batch = await client.query<(string | null)[]>({
          text: `fetch ${String(ROWS_AT_ONCE)} from answer`,
          rowMode: 'array',
          types: AS_TEXT,
        })
        const fields = batch.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }))
        isMore = batch.rows.length === ROWS_AT_ONCE
        yield { fields, rows: batch.rows }
      }
      await client.query('rollback')
      isClean = !signal.aborted
    } finally {
      signal.removeEventListener('abort', cancel)
      // One that was left in the middle, or is being cancelled, serves nobody else.
      client.release(!isClean)
    }
  }

  close(): Promise<void> {
    return this.pool.end()
  }

  /** Asks the server to end what a connection runs, over another connection of its own. */
  private async cancel(client: pg.PoolClient): Promise<void> {
    const other = new pg.Client({ connectionString: this.options.url })
    try {
      await other.connect()
      await other.query('select pg_terminate_backend($1)', [processId(client)])
    } catch (error) {
      this.options.onError?.(error instanceof Error ? error : new Error(String(error)))
    } finally {
      await other.end().catch(() => undefined)
    }
  }
}

/** `pg` keeps the process id of the server's side, which its types do not tell of. */
function processId(client: pg.PoolClient): number {
  return 'processID' in client ? Number(client.processID) : 0
}
