import { AppError } from '@olytix/errors'
import { Database, sql, type Transaction } from '@olytix/postgres'
import { z } from 'zod'
import { findBuilderRole, setUpBuild } from './builder.queries.js'

interface BuilderOptions {
  readonly url: string
  /** Transactions at the same time. */
  readonly concurrency: number
  /** How long one statement may take. */
  readonly timeoutMs: number
  /** Told of broken connections; they are replaced. */
  readonly onError?: (error: Error) => void
}

const backend = z.object({ pid: z.number() })

/** The warehouse as the role that builds models: it reads sources and owns what it makes. */
export class Builder {
  private readonly database: Database
  /** Apart, so that what runs can be ended while all other connections are taken. */
  private readonly canceller: Database

  constructor(private readonly options: BuilderOptions) {
    const { url, concurrency: maxConnections, onError } = options
    const told = onError ? { onError } : {}
    this.database = new Database({ url, maxConnections, ...told })
    this.canceller = new Database({ url, maxConnections: 1, ...told })
  }

  /** @throws AppError UNAVAILABLE when the role may do more than build, or nobody answers */
  async check(): Promise<void> {
    await this.transaction(() => Promise.resolve(), new AbortController().signal)
  }

  /**
   * Runs `work` in one transaction of the builder's, after its role has been checked: committed if it returns, rolled
   * back if it throws. When `signal` is aborted the statement that runs is ended.
   */
  async transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.database.transaction(async (transaction) => {
      signal.throwIfAborted()
      await transaction.execute(setUpBuild(this.options.timeoutMs))
      await demandPlainRole(transaction)
      const own = await transaction.maybeOne(backend, sql`select pg_backend_pid() as pid`)
      let cancelling: Promise<unknown> | undefined
      const cancel = (): void => {
        const query = sql`select pg_cancel_backend(${own?.pid ?? 0}::int)`
        cancelling = this.canceller.execute(query).catch(() => undefined)
      }
      signal.addEventListener('abort', cancel, { once: true })
      try {
        return await work(transaction)
      } finally {
        signal.removeEventListener('abort', cancel)
        // A late cancellation must not hit whoever has the connection next.
        await cancelling
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.database.close(), this.canceller.close()])
  }
}

async function demandPlainRole(transaction: Transaction): Promise<void> {
  const role = await findBuilderRole(transaction)
  if (!role?.might) return
  const message = `The role ${role.name} that builds models ${role.might}; see docs/models.md`
  throw new AppError('UNAVAILABLE', message)
}
