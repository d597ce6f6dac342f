import { Injectable } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import {
  checkLinks,
  type EventFilter,
  type EventRow,
  findHead,
  listEvents,
} from './events.queries.js'

const BATCH = 10_000

/** What a check of the whole trail found. */
export interface TrailCheck {
  /** Number of events looked at. */
  readonly eventsChecked: number
  /** Number of the first event that was changed or is missing; null if all is as it was written. */
  readonly firstBroken: number | null
  /**
   * Hash of the last event. Whoever keeps it elsewhere finds out later even about somebody who has rewritten the
   * whole chain.
   */
  readonly headHash: Buffer
}

/** Reads the audit trail. */
@Injectable()
export class EventsService {
  constructor(private readonly database: Database) {}

  /** Newest first. @returns one page and, unless it is the last, the number to go on from */
  async listEvents(
    filter: EventFilter,
    page: { readonly pageSize: number; readonly beforeId: number | null },
  ): Promise<{ readonly events: readonly EventRow[]; readonly nextId: number | null }> {
    const limit = page.pageSize + 1
    const rows = await listEvents(this.database, filter, { beforeId: page.beforeId, limit })
    const events = rows.slice(0, page.pageSize)
    return { events, nextId: rows.length > page.pageSize ? (events.at(-1)?.id ?? null) : null }
  }

  /** Recomputes the chain from the first event to the one that is the last when it begins. */
  async verifyEvents(): Promise<TrailCheck> {
    const head = await findHead(this.database)
    const end = { id: head.events, limit: BATCH }
    let hash: Buffer = Buffer.alloc(0)
    let eventsChecked = 0
    let firstBroken: number | null = null
    while (eventsChecked < head.events && firstBroken === null) {
      const links = await checkLinks(this.database, { id: eventsChecked, hash }, end)
      // Nothing where there must be something: the end is missing.
      firstBroken = links.checked === 0 ? eventsChecked + 1 : links.first_broken
      eventsChecked += links.checked
      hash = links.last_hash ?? hash
    }
    if (firstBroken === null && !hash.equals(head.events_hash)) firstBroken = head.events
    return { eventsChecked, firstBroken, headHash: head.events_hash }
  }
}
