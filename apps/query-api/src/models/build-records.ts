import { setTimeout } from 'node:timers/promises'
import type { Database } from '@olytix/postgres'
import type { BuiltTable, MadeFrom } from '../project/follow-relations.js'
import type { TableName } from '../project/project.js'
import {
  countChange,
  deleteBuildsBefore,
  findChanges,
  insertBuild,
  listBuilt,
} from './build-records.queries.js'

/** A build that is recorded. */
export interface BuildRecord {
  readonly id: string
  /** Waits until every replica follows it. @throws the reason of `signal` */
  settle(signal: AbortSignal): Promise<void>
}

/**
 * What the rows of tables that runs built may come from: also rows of an older definition, as long as they may be there.
 * Policies follow it, so a build is recorded before its rows can be read.
 */
export class BuildRecords {
  constructor(
    private readonly database: Database,
    /** Within it every replica that can reach the database follows what was recorded. */
    private readonly settleMs: number,
  ) {}

  /** A number that rises whenever lineage may have changed, or the rows of a table have. */
  readonly count = (): Promise<number> => findChanges(this.database)

  /** Every table that runs have built, with what its rows may come from. */
  list(): Promise<readonly BuiltTable[]> {
    return listBuilt(this.database)
  }

  /** Call it while nobody else can build the table. */
  async begin(
    target: TableName,
    build: { readonly runId: string; readonly lineage: MadeFrom },
  ): Promise<BuildRecord> {
    const { id, isKnown } = await this.database.transaction(async (transaction) => {
      const made = await insertBuild(transaction, target, build)
      if (!made.isKnown) await countChange(transaction)
      return made
    })
    const followedAt = performance.now() + (isKnown ? 0 : this.settleMs)
    return {
      id,
      settle: async (signal) => {
        const waitMs = Math.max(0, followedAt - performance.now())
        await setTimeout(waitMs, undefined, { signal }).catch(() => undefined)
        signal.throwIfAborted()
      },
    }
  }

  /** @param whole the build after whose commit no row of an earlier one is left, if it was such a build */
  async finish(target: TableName, whole: BuildRecord | undefined): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if (whole) await deleteBuildsBefore(transaction, target, whole.id)
      await countChange(transaction)
    })
  }
}
