import type { RefreshableRow } from './sessions.queries.js'

/** How long the token before the current one gets the current pair again, in milliseconds: a reply may be lost. */
const RETRY_MS = 10_000

/** What a presented refresh token leads to. */
export type RefreshStep = 'advance' | 'repeat' | 'reuse' | 'refuse'

/**
 * Judges a genuine refresh token by its counter. The current one advances the session; the one before it, for 10 s,
 * gets the same pair again; any older one was stolen, or its thief came first: the session must end.
 * @param idleSince sessions last refreshed then or before are over
 */
export function refreshStep(
  session: RefreshableRow,
  counter: number,
  { now, idleSince }: { readonly now: Date; readonly idleSince: Date },
): RefreshStep {
  if (isOver(session, now) || session.refreshed_at <= idleSince) return 'refuse'
  if (counter === session.counter) return 'advance'
  if (counter > session.counter) return 'refuse'
  const ageMs = now.getTime() - session.refreshed_at.getTime()
  return counter === session.counter - 1 && ageMs <= RETRY_MS ? 'repeat' : 'reuse'
}

function isOver({ ended_at, expires_at, epoch, subject }: RefreshableRow, now: Date): boolean {
  return (
    ended_at !== null || expires_at <= now || subject.user_ended || epoch !== subject.user_epoch
  )
}
