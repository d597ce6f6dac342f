import pg from 'pg'
import type { Statement } from './sql.js'

/** A column of a result: its name and the OID of its type in `pg_type`. */
export interface Field {
  readonly name: string
  readonly typeOid: number
}

/** Rows as PostgreSQL wrote them: every value its text form, or null. */
export interface TextRows {
  readonly fields: readonly Field[]
  readonly rows: readonly (readonly (string | null)[])[]
}

/** Transaction-local settings, by full name: `olytix.user_id`, `statement_timeout`, `timezone`. */
export type Settings = Readonly<Record<string, string>>

interface ReaderOptions {
  readonly url: string
  readonly maxConnections: number
  /** How long to wait for a connection, in milliseconds. */
  readonly acquireTimeoutMs: number
  readonly onError?: (error: Error) => void
}

const AS_TEXT = { getTypeParser: () => (value: string | Buffer) => String(value) }

/**
 * Read-only access for statements that run under settings: begin, settings, statement and commit in one network
 * round trip (`pipeline`). A row leaves only if begin and commit said so; else the connection is thrown away.
 */
export class PipelinedReader {
  private readonly pool: pg.Pool

  constructor(options: ReaderOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections,
      connectionTimeoutMillis: options.acquireTimeoutMs,
      keepAlive: true,
      pipeline: true,
    })
    this.pool.on('error', (error) => options.onError?.(error))
    // A connection that breaks while it is in use fails its statements; the event itself needs a listener.
    this.pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)))
  }

  /** @throws whatever `pg` throws; the connection is clean or gone afterwards. */
  async read(statement: Statement, settings: Settings): Promise<TextRows> {
    const client = await this.pool.connect()
    let doubt: Error | undefined
    try {
      const [begin, context, result, commit] = await Promise.allSettled([
        client.query('begin read only'),
        client.query(
          'select set_config(k, v, true) from unnest($1::text[], $2::text[]) as s (k, v)',
          [Object.keys(settings), Object.values(settings)],
        ),
        client.query<(string | null)[]>({
          text: statement.text,
          values: [...statement.values],
          rowMode: 'array',
          types: AS_TEXT,
        }),
        client.query('commit'),
      ])
      const tags = [tagOf(begin), tagOf(commit)].join()
      if (tags !== 'BEGIN,COMMIT' && tags !== 'BEGIN,ROLLBACK') doubt = new Error(`tags ${tags}`)
      const failed = [begin, context, result, commit].find((each) => each.status === 'rejected')
      if (failed) throw failed.reason
      if (tags !== 'BEGIN,COMMIT' || result.status === 'rejected') throw doubt ?? new Error(tags)
      return toTextRows(result.value)
    } finally {
      client.release(doubt)
    }
  }

  close(): Promise<void> {
    return this.pool.end()
  }
}

function tagOf(settled: PromiseSettledResult<pg.QueryResult<object>>): string {
  return settled.status === 'fulfilled' ? settled.value.command : 'ERROR'
}

function toTextRows(result: pg.QueryArrayResult<(string | null)[]>): TextRows {
  return {
    fields: result.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID })),
    rows: result.rows,
  }
}
