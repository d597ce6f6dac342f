const EARLIEST = Date.UTC(1970, 0, 1)
const LATEST = Date.UTC(10_000, 0, 1)

/** Whether a moment of a message is one that can be stored and written: from 1970 to the end of the year 9999. */
export function isMoment(date: Date): boolean {
  return date.getTime() >= EARLIEST && date.getTime() < LATEST
}
