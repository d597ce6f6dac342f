import type { Answer } from './answer.js'
import type { AuthorizeQuestion } from './authorizer.js'

/** What a guard that reuses principals needs of identity. `GrpcAuthorizer` makes the calls. */
export interface IdentityCalls {
  /** @throws AppError UNAVAILABLE when it cannot be decided */
  ask(question: AuthorizeQuestion): Promise<Answer>
  /**
   * Watches what changes after a revision; 0: nothing is known yet.
   * @returns ends it; nothing is told after that
   */
  watch(fromRevision: number, watcher: Watcher): () => void
  /** At most 1,000. @throws AppError UNAVAILABLE when they may be reported again */
  recordUses(uses: readonly KeyUse[]): Promise<void>
}

/** Who is told of changes. */
export interface Watcher {
  readonly onTold: (told: Told) => void
  /** No more will be told, for whatever reason. Once at most. */
  readonly onEnd: () => void
}

/** Some changes, or without any the news that there are none. */
export interface Told {
  /** All changes up to here have been told. */
  readonly revision: number
  /** What was before is not known any more. */
  readonly resync: boolean
  /** Ids as `Reuse.dependsOn` writes them, one for each revision; `undefined` for a kind of change that is not known. */
  readonly changes: readonly (string | undefined)[]
}

/** Requests that were let pass with a key without asking. */
export interface KeyUse {
  readonly keyId: string
  readonly requests: number
  /** Of the latest of them. */
  readonly lastAt: Date
  readonly clientIp: string
}
