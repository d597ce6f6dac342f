import type { PastEvent } from '../audit/audit.service.js'
import { networkOf } from '../tokens/throttle.js'

/** One refusal: what was asked, by whom as far as that is known, and why it was refused. */
export interface Refusal {
  /** One of a closed list, however many refusals there are: a `DenialReason`, or what a call marked. */
  readonly reason: string
  /** Whose credential it is, also if it no longer works; null for nobody's. */
  readonly principal: NonNullable<PastEvent['origin']['principal']> | null
  readonly resource: string
  readonly requestId: string
  /** Canonical; null if unknown. */
  readonly clientIp: string | null
  /** What else is known; never a secret. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly at: Date
}

/** Refusals of one cause from one network in one minute, with credentials of one principal or of nobody. */
interface Tally {
  readonly minute: number
  readonly clientIp: string | null
  /** Several principals are counted together. */
  readonly isNobodys: boolean
  events: number
  counted: number
  first: Refusal
  last: Refusal
}

/** So many have an event of their own per cause, network and minute, before the rest is only counted. */
const SINGLE_EVENTS = { principal: 100, nobody: 10 } as const
/** Whatever they are, no more than so many a minute have an event of their own. */
const MAX_SINGLE_EVENTS = 1_000
/** Networks and principals beyond so many in a minute are counted together. */
const MAX_TALLIES = 1_000
/** What could not be written is kept up to here. */
const MAX_WAITING = 10_000
const MINUTE_MS = 60_000

const AFTER_IDENTIFICATION: ReadonlySet<string> = new Set([
  'insufficient_scope',
  'address_not_allowed',
  'rate_limited',
])

/**
 * Turns refusals into events such that everybody finds theirs, and no flood can fill the trail: the first of a cause,
 * network and minute have each an event with the id of the request; then they are counted, and one event says how many.
 */
export class RefusalLedger {
  private minute = 0
  private singleEvents = 0
  private readonly tallies = new Map<string, Tally>()
  private waiting: PastEvent[] = []

  note(refusal: Refusal): void {
    const minute = minuteOf(refusal.at)
    if (minute > this.minute) {
      this.minute = minute
      this.singleEvents = 0
    }
    const tally = this.tallyFor(refusal, minute)
    const single = refusal.principal ? SINGLE_EVENTS.principal : SINGLE_EVENTS.nobody
    if (tally.events < single && this.singleEvents < MAX_SINGLE_EVENTS) {
      tally.events += 1
      this.singleEvents += 1
      this.waiting.push(toEvent(refusal))
      return
    }
    if (tally.counted === 0) tally.first = refusal
    tally.last = refusal
    tally.counted += 1
  }

  /**
   * Takes the events that are ready, oldest first: the single ones, and the counts of minutes that are over.
   * @param now `null` takes all counts
   */
  take(now: Date | null): PastEvent[] {
    for (const [key, tally] of this.tallies) {
      if (now && tally.minute >= minuteOf(now)) continue
      this.tallies.delete(key)
      if (tally.counted > 0) this.waiting.push(toCount(tally))
    }
    return this.waiting.splice(0)
  }

  /** Gives back what could not be written. */
  putBack(events: readonly PastEvent[]): void {
    this.waiting = [...events, ...this.waiting].slice(0, MAX_WAITING)
  }

  private tallyFor(refusal: Refusal, minute: number): Tally {
    const network = networkOf(refusal.clientIp)
    const key = [minute, refusal.reason, network, refusal.principal?.id].join(' ')
    const known = this.tallies.get(key)
    if (known) return known
    const isRoom = this.tallies.size < MAX_TALLIES
    const place = isRoom ? key : [minute, refusal.reason].join(' ')
    const clientIp = isRoom && refusal.clientIp !== null ? network : null
    const rest = this.tallies.get(place)
    if (rest) return rest
    const events = isRoom ? 0 : MAX_SINGLE_EVENTS
    const isNobodys = !isRoom
    const tally = { minute, clientIp, isNobodys, events, counted: 0, first: refusal, last: refusal }
    this.tallies.set(place, tally)
    return tally
  }
}

function toEvent({ reason, principal, resource, at, data, ...from }: Refusal): PastEvent {
  const { requestId, clientIp } = from
  return {
    type: AFTER_IDENTIFICATION.has(reason) ? 'authorization' : 'authentication',
    subjectKind: 'resource',
    subjectId: resource,
    denialReason: reason,
    ...(data && { data }),
    timestamp: at,
    origin: { principal, requestId, clientIp },
  }
}

function toCount({ first, last, counted, clientIp, isNobodys }: Tally): PastEvent {
  const data = { requests: counted, first_at: first.at, last_at: last.at }
  const principal = isNobodys ? null : last.principal
  return { ...toEvent({ ...last, clientIp, principal }), data }
}

function minuteOf(moment: Date): number {
  return Math.floor(moment.getTime() / MINUTE_MS)
}
