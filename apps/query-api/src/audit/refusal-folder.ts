import type { AuditEvent } from './audit-event.js'

const MINUTE_MS = 60_000
/** So many of one principal and cause have an event each in a minute; the rest is counted. */
const SINGLE_EVENTS = 100
/** So many different counts in a minute; beyond that, one count for all others. */
const MAX_COUNTS = 1000

interface Count {
  readonly first: AuditEvent
  /** Those that have no event of their own. */
  folded: number
  seen: number
  firstFoldedAt: Date | undefined
  lastAt: Date
}

/**
 * Keeps refusals from filling the trail: whoever asks again and again for what they may not have gets an event for each
 * of the first refusals of a minute, and one that says how many more there were.
 */
export class RefusalFolder {
  private counts = new Map<string, Count>()
  private endsAt = 0

  /** @returns whether the refusal is to have an event of its own */
  admits(event: AuditEvent): boolean {
    if (this.counts.size === 0) this.endsAt = event.at.getTime() + MINUTE_MS
    const count = this.countFor(event)
    count.seen++
    count.lastAt = event.at
    if (count.seen <= SINGLE_EVENTS) return true
    count.folded++
    count.firstFoldedAt ??= event.at
    return false
  }

  /** What was counted, once the minute is over; `Infinity` ends it now. */
  take(nowMs: number): AuditEvent[] {
    if (nowMs < this.endsAt) return []
    const counts = [...this.counts.values()]
    this.counts = new Map()
    return counts.flatMap(({ first, folded, firstFoldedAt, lastAt }) => {
      if (folded === 0) return []
      const data = {
        requests: folded,
        first_at: firstFoldedAt?.toISOString(),
        last_at: lastAt.toISOString(),
      }
      return [{ ...first, at: lastAt, data }]
    })
  }

  private countFor(event: AuditEvent): Count {
    const key = JSON.stringify([event.caller?.principal.id, event.denialReason])
    const known = this.counts.get(key)
    if (known) return known
    const isFull = this.counts.size >= MAX_COUNTS
    const others = isFull ? this.counts.get(OTHERS) : undefined
    if (others) return others
    const first = isFull ? { ...event, caller: undefined, denialReason: 'various' } : event
    const seen = isFull ? SINGLE_EVENTS : 0
    const count = { first, seen, folded: 0, firstFoldedAt: undefined, lastAt: event.at }
    this.counts.set(isFull ? OTHERS : key, count)
    return count
  }
}

const OTHERS = 'others'
