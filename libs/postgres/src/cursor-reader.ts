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
  /** For ending what others run: it must work when all of those are busy. */
  private readonly terminators: pg.Pool

  constructor(private readonly options: CursorOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections,
      connectionTimeoutMillis: options.acquireTimeoutMs,
      keepAlive: true,
    })
    this.terminators = new pg.Pool({
      connectionString: options.url,
      max: 2,
      connectionTimeoutMillis: options.acquireTimeoutMs,
    })
    this.terminators.on('error', (error) => options.onError?.(error))
    this.pool.on('error', (error) => options.onError?.(error))
    this.pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)))
  }

  /**
   * At least one batch, the last one perhaps empty.
   * @param signal ends the statement in the database, too, and gives the connection back, whatever the reader does
   * @throws whatever `pg` throws, or the signal's reason; the connection is clean or gone afterwards
   */
  async *read(
    statement: Statement,
    settings: Settings,
    signal: AbortSignal,
  ): AsyncGenerator<TextRows, void, undefined> {
    signal.throwIfAborted()
    const client = await this.pool.connect()
    // One that was left in the middle, or is being cancelled, serves nobody else.
    const release = once((isClean: boolean) => {
      client.release(!isClean)
    })
    const cancel = (): void => {
      void this.terminate(client)
      release(false)
    }
    signal.addEventListener('abort', cancel)
    let isClean = false
    try {
      signal.throwIfAborted()
      await begin(client, statement, settings)
      for (let isMore = true; isMore;) {
        const batch = await client.query<(string | null)[]>({
          text: `fetch ${String(ROWS_AT_ONCE)} from answer`,
          rowMode: 'array',
          types: AS_TEXT,
        })
        const fields = batch.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }))
        isMore = batch.rows.length === ROWS_AT_ONCE
        yield { fields, rows: batch.rows }
        signal.throwIfAborted()
      }
      await client.query('rollback')
      isClean = true
    } finally {
      signal.removeEventListener('abort', cancel)
      release(isClean)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.end(), this.terminators.end()])
  }

  /** Ends what a connection runs. It is never used again, so that nothing else can be hit. */
  private async terminate(client: pg.PoolClient): Promise<void> {
    try {
      await this.terminators.query('select pg_terminate_backend($1)', [processId(client)])
    } catch (error) {
      this.options.onError?.(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

async function begin(
  client: pg.PoolClient,
  { text, values }: Statement,
  settings: Settings,
): Promise<void> {
  await client.query('begin read only')
  await client.query(
    'select set_config(k, v, true) from unnest($1::text[], $2::text[]) as s (k, v)',
    [Object.keys(settings), Object.values(settings)],
  )
  await client.query(`declare answer no scroll cursor for ${text}`, [...values])
}

function once(run: (isClean: boolean) => void): (isClean: boolean) => void {
  let isDone = false
  return (isClean) => {
    if (!isDone) run(isClean)
    isDone = true
  }
}

/** `pg` keeps the process id of the server's side, which its types do not tell of. */
function processId(client: pg.PoolClient): number {
  return 'processID' in client ? Number(client.processID) : 0
}
