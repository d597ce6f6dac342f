import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '@olytix/errors'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { z } from 'zod'
import { isUnreachable } from './constraint.js'
import { type Sql, sql, trusted } from './sql.js'

const CONNECT_TIMEOUT_MS = 3000

interface DatabaseOptions {
  readonly url: string
  /** Connections at most; 10 if not said. */
  readonly maxConnections?: number
  /** Told of broken idle connections; they are replaced by themselves. */
  readonly onError?: (error: Error) => void
}

/** Runs statements and parses each row with a schema: what SQL gives is input like any other. */
export interface Queryable {
  /** All rows. */
  many<T>(schema: z.ZodType<T>, query: Sql): Promise<T[]>
  /** The first row, if there is one. */
  maybeOne<T>(schema: z.ZodType<T>, query: Sql): Promise<T | undefined>
  /** How many rows it touched. */
  execute(query: Sql): Promise<number>
}

/** Statements of one transaction. */
export interface Transaction extends Queryable {
  /**
   * Loads CSV with a heading line by COPY.
   * @param target a table, or a table with the columns in the order of the file: `raw.orders (id, region)`
   * @returns how many rows it loaded
   */
  copyCsv(target: Sql, csv: Readable): Promise<number>
}

/**
 * A pool of connections to a database of ours.
 * @throws AppError UNAVAILABLE from every method when the server cannot be reached; errors of SQL pass as they are.
 */
export class Database implements Queryable {
  private readonly pool: pg.Pool

  constructor(options: DatabaseOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections ?? 10,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    })
    this.pool.on('error', (error) => options.onError?.(error))
    // A connection that breaks while it is in use fails its statement; the event itself needs a listener.
    this.pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)))
  }

  many<T>(schema: z.ZodType<T>, query: Sql): Promise<T[]> {
    return run(this.pool, query).then((result) => result.rows.map((row) => schema.parse(row)))
  }

  maybeOne<T>(schema: z.ZodType<T>, query: Sql): Promise<T | undefined> {
    return this.many(schema, query).then(([row]) => row)
  }

  execute(query: Sql): Promise<number> {
    return run(this.pool, query).then((result) => result.rowCount ?? 0)
  }

  /** Runs `work` in one transaction: committed if it returns, rolled back if it throws. */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.connect()
    let broken: Error | undefined
    try {
      await client.query('begin')
      const result = await work(new ClientTransaction(client))
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch((failure: unknown) => {
        broken = failure instanceof Error ? failure : new Error('rollback failed')
      })
      throw translate(error)
    } finally {
      client.release(broken)
    }
  }

  /**
   * Calls `onNotify` with each payload sent to `channel`, on a connection of its own, until `stop` is called.
   * `onLost` is called once when that connection ends: notifications may then have been missed.
   * @throws AppError UNAVAILABLE when there is no connection to be had
   */
  async listen(
    channel: string,
    onNotify: (payload: string) => void,
    onLost: () => void,
  ): Promise<{ stop: () => void }> {
    const { client, end } = await this.dedicated(onLost)
    client.on('notification', (message) => {
      onNotify(message.payload ?? '')
    })
    try {
      await run(
        client,
        trusted(`listen ${pg.escapeIdentifier(channel)}`).within(CONNECT_TIMEOUT_MS),
      )
    } catch (error) {
      end()
      throw translate(error)
    }
    return { stop: end }
  }

  /**
   * Takes a lock that one process at a time can hold, on a connection of its own. `onLost` is called once when that
   * connection ends, and others may have the lock; `release` gives it back.
   * @returns `undefined` when somebody else holds it
   * @throws AppError UNAVAILABLE when there is no connection to be had
   */
  async tryLock(name: string, onLost: () => void): Promise<{ release: () => void } | undefined> {
    const { client, end } = await this.dedicated(onLost)
    try {
      const query = sql`select pg_try_advisory_lock(hashtextextended(${name}, 0)) as held`
      const { rows } = await run(client, query)
      if (z.object({ held: z.boolean() }).parse(rows[0]).held) return { release: end }
      end()
      return undefined
    } catch (error) {
      end()
      throw error
    }
  }

  /** Waits for running statements and closes all connections. */
  close(): Promise<void> {
    return this.pool.end()
  }

  /** A connection that nobody else will use, until `end`; `onLost` is called once when it ends otherwise. */
  private async dedicated(
    onLost: () => void,
  ): Promise<{ readonly client: pg.PoolClient; readonly end: () => void }> {
    const client = await this.connect()
    const end = once(() => {
      client.off('end', lose)
      client.off('error', lose)
      client.release(true)
    })
    const lose = (): void => {
      end()
      onLost()
    }
    client.once('end', lose)
    client.once('error', lose)
    return { client, end }
  }

  private async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect()
    } catch (error) {
      throw translate(error)
    }
  }
}

class ClientTransaction implements Transaction {
  constructor(private readonly client: pg.PoolClient) {}

  async many<T>(schema: z.ZodType<T>, query: Sql): Promise<T[]> {
    const { rows } = await run(this.client, query)
    return rows.map((row) => schema.parse(row))
  }

  async maybeOne<T>(schema: z.ZodType<T>, query: Sql): Promise<T | undefined> {
    return (await this.many(schema, query))[0]
  }

  async execute(query: Sql): Promise<number> {
    return (await run(this.client, query)).rowCount ?? 0
  }

  async copyCsv(target: Sql, csv: Readable): Promise<number> {
    const { text } = sql`copy ${target} from stdin with (format csv, header)`.toStatement()
    const copy = this.client.query(copyFrom(text))
    await pipeline(csv, copy)
    return copy.rowCount
  }
}

async function run(target: pg.Pool | pg.PoolClient, query: Sql): Promise<pg.QueryResult<object>> {
  const { text, values } = query.toStatement()
  try {
    const { preparedName: name, timeoutMs } = query
    return await target.query<object>({
      text,
      values: [...values],
      ...(name && { name }),
      ...(timeoutMs !== undefined && { query_timeout: timeoutMs }),
    })
  } catch (error) {
    throw translate(error)
  }
}

function translate(error: unknown): unknown {
  if (!isUnreachable(error)) return error
  return new AppError('UNAVAILABLE', 'The database does not answer at the moment; try again', {
    cause: error,
    headers: { 'retry-after': '1' },
  })
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}
