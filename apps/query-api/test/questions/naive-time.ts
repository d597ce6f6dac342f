/** Times of the evaluator: milliseconds on the wall clock, as if it were UTC. */

export const GRAINS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const

export type Grain = (typeof GRAINS)[number]

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export function readMs(text: string): number {
  return Date.parse(text.includes('T') ? `${text}Z` : `${text}T00:00:00Z`)
}

/** The wall clock of a zone at an instant. */
export function wallClock(instant: number, zone: string): number {
  if (zone === 'UTC') return instant
  const key = `${zone} ${String(instant)}`
  const known = clocks.get(key)
  if (known !== undefined) return known
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(zone, format)
  const at = readMs(format.format(instant).replace(' ', 'T'))
  clocks.set(key, at)
  return at
}

const clocks = new Map<string, number>()
const formats = new Map<string, Intl.DateTimeFormat>()

/** The beginning of the period that a time lies in. */
export function floorTo(ms: number, grain: Grain): number {
  if (grain === 'hour') return ms - (ms % HOUR)
  const date = new Date(ms - (ms % DAY))
  if (grain === 'day') return date.getTime()
  if (grain === 'week') return date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY
  const month = date.getUTCMonth()
  const first = grain === 'month' ? month : grain === 'quarter' ? month - (month % 3) : 0
  return Date.UTC(date.getUTCFullYear(), first)
}

/** So many periods later (or earlier); a day that the month does not have is its last. */
export function plus(ms: number, count: number, grain: Grain): number {
  if (grain === 'hour') return ms + count * HOUR
  if (grain === 'day') return ms + count * DAY
  if (grain === 'week') return ms + count * 7 * DAY
  const months = count * { month: 1, quarter: 3, year: 12 }[grain]
  const date = new Date(ms)
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months)
  const last = new Date(first)
  last.setUTCMonth(last.getUTCMonth() + 1, 0)
  const day = Math.min(date.getUTCDate(), last.getUTCDate())
  return first + (day - 1) * DAY + (ms % DAY)
}

/** How an answer writes a period, or a time as it is. */
export function written(ms: number, grain: Grain | undefined, isDate: boolean): string {
  const text = new Date(ms).toISOString().slice(0, 19)
  if (grain === undefined) return isDate ? text.slice(0, 10) : text
  if (grain === 'quarter')
    return `${text.slice(0, 4)}-Q${String(Math.ceil(Number(text.slice(5, 7)) / 3))}`
  return text.slice(0, { year: 4, month: 7, week: 10, day: 10, hour: 19 }[grain])
}

/** What a written time stands for: from its beginning until before its end. A time with a clock is one moment: a millisecond here. */
export function span(text: string): readonly [number, number] {
  if (text.includes('T')) return [readMs(text), readMs(text) + 1]
  const quarter = /^(\d{4})-Q(\d)$/.exec(text)
  if (quarter) {
    const from = Date.UTC(Number(quarter[1]), (Number(quarter[2]) - 1) * 3)
    return [from, plus(from, 1, 'quarter')]
  }
  const grain = text.length === 4 ? 'year' : text.length === 7 ? 'month' : 'day'
  const from = readMs(`${text}-01-01`.slice(0, 10))
  return [from, plus(from, 1, grain)]
}

export function datePart(ms: number, part: string): number {
  const date = new Date(ms)
  if (part === 'dow') return ((date.getUTCDay() + 6) % 7) + 1
  if (part === 'day') return date.getUTCDate()
  if (part === 'quarter') return Math.floor(date.getUTCMonth() / 3) + 1
  if (part === 'doy') return (floorTo(ms, 'day') - floorTo(ms, 'year')) / DAY + 1
  if (part === 'week') {
    const thursday = floorTo(ms, 'week') + 3 * DAY
    return Math.floor((thursday - floorTo(thursday, 'year')) / (7 * DAY)) + 1
  }
  if (part === 'hour') return date.getUTCHours()
  return part === 'year' ? date.getUTCFullYear() : date.getUTCMonth() + 1
}

/** Periods of ten days, on the days of the calendar. */
export function sprintStart(ms: number): number | undefined {
  const day = floorTo(ms, 'day')
  if (day < readMs('2024-01-20') || day > readMs('2024-05-10')) return undefined
  return day - (day % (10 * DAY))
}
