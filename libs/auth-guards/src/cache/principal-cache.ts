import { LRUCache } from 'lru-cache'
import type { Reuse } from '../answer.js'
import type { Clock } from '../clock.js'
import type { Principal } from '../principal.js'

const MAX_ENTRIES = 50_000
const MAX_BYTES = 64 * 1024 * 1024
const MAX_ENTRY_BYTES = 64 * 1024
/** What an entry costs beside its answer, about. */
const ENTRY_BYTES = 1_000
/** Identity may say less. */
const MAX_TTL_MS = 60_000

/** A principal as it was at one revision; `null`: the credential has ended, for ever. */
interface Entry {
  readonly principal: Principal | null
  /** Moment of the clock's `elapsedMs`. */
  readonly goodUntilMs: number
  readonly revision: number
  readonly dependsOn: readonly string[]
}

/** Who stands behind a credential; `ended`: nobody ever again. */
export type Known = Principal | 'ended'

/** When a question was put, for `PrincipalCache.keep`. */
export interface Asked {
  readonly atMs: number
  readonly epoch: number
}

/**
 * The principals that were seen lately, by the names that `cacheKey` gives. It holds who somebody is, never a decision.
 * An answer that was made before a change that has been heard of is not kept, and one whose credential has ended is
 * never replaced: a slow answer cannot bring the dead back.
 */
export class PrincipalCache {
  private readonly entries: LRUCache<string, Entry>
  private readonly dependants = new Map<string, Set<string>>()
  /** All changes up to here have been heard of. */
  private heard = 0
  /** Whoever called through us has seen this revision. */
  private seen = 0
  private epoch = 0

  constructor(
    private readonly clock: Clock,
    maxEntries = MAX_ENTRIES,
  ) {
    this.entries = new LRUCache({
      max: maxEntries,
      maxSize: MAX_BYTES,
      maxEntrySize: MAX_ENTRY_BYTES,
      disposeAfter: (entry, name) => {
        this.unlink(entry, name)
      },
    })
  }

  /** Who is held under a name; `undefined`: not known. */
  find(name: string): Known | undefined {
    const entry = this.entries.get(name)
    if (!entry) return undefined
    const { principal } = entry
    if (!principal) return 'ended'
    return this.isCurrent(entry, principal) ? principal : undefined
  }

  /** To be called when a question is put whose answer may be kept. */
  ask(): Asked {
    return { atMs: this.clock.elapsedMs(), epoch: this.epoch }
  }

  /** Keeps the principal of an answer, unless it may be out of date already. */
  keep(name: string, answer: Reuse & { readonly principal: Principal }, asked: Asked): void {
    const { principal, ttlMs, revision, dependsOn, bytes } = answer
    const isStale = asked.epoch !== this.epoch || revision < Math.max(this.heard, this.seen)
    if (ttlMs <= 0 || isStale || this.entries.peek(name)?.principal === null) return
    const goodUntilMs = asked.atMs + Math.min(ttlMs, MAX_TTL_MS)
    this.put(name, { principal, goodUntilMs, revision, dependsOn }, bytes)
  }

  /** The credential has ended and will not come back. */
  end(name: string, asked: Asked): void {
    if (asked.epoch !== this.epoch) return
    this.put(name, { principal: null, goodUntilMs: Infinity, revision: 0, dependsOn: [] }, 0)
  }

  /** Drops what depends on any of these ids. All changes up to the revision have been heard of then. */
  drop(ids: readonly string[], revision: number): void {
    this.heard = revision
    for (const id of ids) {
      for (const name of this.dependants.get(id) ?? []) this.entries.delete(name)
    }
  }

  /** Drops everything, and what is being asked for at this moment: all that was known may be wrong. */
  dropAll(revision: number): void {
    this.epoch += 1
    this.heard = revision
    this.seen = 0
    this.entries.clear()
  }

  /**
   * Somebody knows of changes up to a revision: nothing older is used until all of those have been heard of.
   * @returns whether that is news
   */
  expect(revision: number): boolean {
    if (revision <= Math.max(this.heard, this.seen)) return false
    this.seen = revision
    return true
  }

  private isCurrent({ goodUntilMs, revision }: Entry, { expiresAt }: Principal): boolean {
    if (this.clock.elapsedMs() >= goodUntilMs) return false
    if (expiresAt && expiresAt <= this.clock.now()) return false
    return this.heard >= this.seen || revision >= this.seen
  }

  private put(name: string, entry: Entry, bytes: number): void {
    this.entries.set(name, entry, { size: bytes + ENTRY_BYTES })
    if (this.entries.peek(name) !== entry) return
    for (const id of entry.dependsOn) {
      const names = this.dependants.get(id) ?? new Set()
      this.dependants.set(id, names.add(name))
    }
  }

  /** An entry that took its place may depend on the same. */
  private unlink({ dependsOn }: Entry, name: string): void {
    const present = this.entries.peek(name)
    for (const id of dependsOn) {
      if (present?.dependsOn.includes(id)) continue
      const names = this.dependants.get(id)
      names?.delete(name)
      if (names?.size === 0) this.dependants.delete(id)
    }
  }
}
