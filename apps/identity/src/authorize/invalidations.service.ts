import { Injectable, Logger } from '@nestjs/common'
import { AuditService, type Change } from '../audit/audit.service.js'
import { RevisionFeed } from './revision-feed.js'

/** What a watcher is told: changes, or by their absence that there were none. */
export interface InvalidationBatch {
  /** Everything up to here has been told. */
  readonly revision: number
  /** What came before is not known any more: forget everything. */
  readonly resync: boolean
  readonly changes: readonly Change[]
}

export interface Watcher {
  readonly onBatch: (batch: InvalidationBatch) => void
  /** The service stops; watch elsewhere. */
  readonly onEnd: () => void
}

/** Half of the second within which a watcher may count on a word. */
const CHECKPOINT_MS = 500

/** Tells guards, in the order of the changes, which answers of Authorize they must not use again. */
@Injectable()
export class InvalidationsService {
  private readonly watchers = new Set<Watcher>()
  private isStopping = false

  constructor(
    private readonly audit: AuditService,
    private readonly feed: RevisionFeed,
  ) {}

  /**
   * Tells all changes after a revision: those that were, at once, and those to come. The first word comes at once,
   * then at least one each second while the database answers; silence means that nobody knows.
   * @returns ends it
   */
  watch(fromRevision: number, watcher: Watcher): () => void {
    if (this.isStopping) {
      watcher.onEnd()
      return () => undefined
    }
    this.watchers.add(watcher)
    const cursor = new Cursor(this.audit, fromRevision, watcher)
    const unsubscribe = this.feed.subscribe((revision) => void cursor.advance(revision))
    return () => {
      cursor.close()
      unsubscribe()
      this.watchers.delete(watcher)
    }
  }

  /** Ends all watches: they would never end by themselves. */
  beginShutdown(): void {
    this.isStopping = true
    for (const watcher of this.watchers) watcher.onEnd()
  }
}

/** How far one watcher has been told. */
class Cursor {
  private readonly logger = new Logger('invalidations')
  private toldAt: number | undefined
  private isBusy = false
  private isClosed = false
  private head = 0

  constructor(
    private readonly audit: AuditService,
    private revision: number,
    private readonly watcher: Watcher,
  ) {}

  close(): void {
    this.isClosed = true
  }

  /** To be called whenever the present revision has been read. What fails is tried again at the next call. */
  async advance(head: number): Promise<void> {
    this.head = head
    if (this.isBusy) return
    this.isBusy = true
    try {
      while (!this.isClosed && (this.toldAt === undefined || this.head !== this.revision)) {
        const { revision, changes } = await this.audit.changesSince(this.revision)
        this.tell({ revision, resync: changes === null, changes: changes ?? [] })
        this.head = Math.max(this.head, revision)
        if (changes === null) this.head = revision
      }
      if (performance.now() - (this.toldAt ?? 0) >= CHECKPOINT_MS) {
        this.tell({ revision: this.revision, resync: false, changes: [] })
      }
    } catch (error) {
      this.logger.warn({ event: 'changes_not_read', err: error })
    } finally {
      this.isBusy = false
    }
  }

  private tell(batch: InvalidationBatch): void {
    if (this.isClosed) return
    this.toldAt = performance.now()
    this.revision = batch.revision
    this.watcher.onBatch(batch)
  }
}
