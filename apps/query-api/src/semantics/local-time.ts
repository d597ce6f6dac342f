import type { Granularity } from '../project/project.js'

/** A moment on the wall clock, without a zone: microseconds since 1970-01-01T00:00 there. */
export type LocalTime = bigint

/** What a written time means: a period, or one moment. */
export type TimeValue =
  | { readonly kind: 'period'; readonly from: LocalTime; readonly to: LocalTime }
  | { readonly kind: 'moment'; readonly at: LocalTime }
  /** A moment with its offset from UTC; which wall time it is depends on the zone of the question. */
  | { readonly kind: 'instant'; readonly text: string }

const MICROS = 1000n
const UNIT_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

const PERIOD = /^(\d{4})(?:-Q([1-4])|-(\d\d)(?:-(\d\d))?)?$/
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?$/
const OFFSET = /(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)$/

/**
 * Reads a time in one of the forms in which times are answered: `2016`, `2016-Q1`, `2016-01`, `2016-01-31`,
 * `2016-01-31T13:00:00`; the last also with a fraction and an offset. `undefined` for anything else, such as 30
 * February. All but the last stand for the whole period.
 */
export function parseTime(text: string): TimeValue | undefined {
  const period = PERIOD.exec(text)
  if (period) return parsePeriod(period)
  const withoutOffset = text.replace(OFFSET, '')
  const moment = MOMENT.exec(withoutOffset)
  const at = moment ? parseMoment(moment) : undefined
  if (at === undefined) return undefined
  return withoutOffset === text ? { kind: 'moment', at } : { kind: 'instant', text }
}

function parsePeriod([, year, quarter, month, day]: RegExpExecArray): TimeValue | undefined {
  const first = quarter === undefined ? Number(month ?? '1') : Number(quarter) * 3 - 2
  const from = localTime(Number(year), first, Number(day ?? '1'))
  if (from === undefined) return undefined
  return { kind: 'period', from, to: next(from, unitOf(quarter, month, day)) }
}

function unitOf(
  quarter: string | undefined,
  month: string | undefined,
  day: string | undefined,
): Granularity {
  if (quarter !== undefined) return 'quarter'
  if (month === undefined) return 'year'
  return day === undefined ? 'month' : 'day'
}

function parseMoment(match: RegExpExecArray): LocalTime | undefined {
  const [, year, month, day, hours, minutes, seconds = '0', fraction = ''] = match
  const date = localTime(Number(year), Number(month), Number(day))
  if (date === undefined) return undefined
  const second = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return date + BigInt(second) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}

function localTime(year: number, month: number, day: number): LocalTime | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 0
  return isReal ? BigInt(date.getTime()) * MICROS : undefined
}

/** The beginning of the period that a moment lies in. Weeks begin on Monday. */
export function floor(time: LocalTime, unit: Granularity): LocalTime {
  if (unit in UNIT_MS) return floorTo(time, BigInt(UNIT_MS[fixed(unit)]) * MICROS)
  const day = floorTo(time, BigInt(UNIT_MS.day) * MICROS)
  const date = new Date(Number(day / MICROS))
  if (unit === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  else date.setUTCDate(1)
  if (unit === 'quarter') date.setUTCMonth(date.getUTCMonth() - (date.getUTCMonth() % 3))
  if (unit === 'year') date.setUTCMonth(0)
  return BigInt(date.getTime()) * MICROS
}

/** The beginning of the period after the one that a moment lies in. */
export function next(time: LocalTime, unit: Granularity): LocalTime {
  const start = floor(time, unit)
  if (unit in UNIT_MS) return start + BigInt(UNIT_MS[fixed(unit)]) * MICROS
  const date = new Date(Number(start / MICROS))
  if (unit === 'week') date.setUTCDate(date.getUTCDate() + 7)
  else date.setUTCMonth(date.getUTCMonth() + { month: 1, quarter: 3, year: 12 }[months(unit)])
  return BigInt(date.getTime()) * MICROS
}

/** The moment itself if it begins a period, else the beginning of the next. */
export function ceiling(time: LocalTime, unit: Granularity): LocalTime {
  return floor(time, unit) === time ? time : next(time, unit)
}

/** `2016-01-31T13:00:00.5`: PostgreSQL's input form. */
export function formatLocalTime(time: LocalTime): string {
  const seconds = floorTo(time, 1_000_000n)
  const fraction = String(time - seconds).padStart(6, '0')
  const text = new Date(Number(seconds / MICROS)).toISOString().slice(0, -5)
  // Years past 9999 are written with a sign by JavaScript, without one by PostgreSQL.
  const plain = text.replace(/^\+0*/, '')
  return fraction === '000000' ? plain : `${plain}.${fraction}`
}

function floorTo(time: LocalTime, step: bigint): LocalTime {
  const remainder = time % step
  return remainder < 0n ? time - remainder - step : time - remainder
}

function fixed(unit: Granularity): keyof typeof UNIT_MS {
  return unit === 'second' || unit === 'minute' || unit === 'hour' ? unit : 'day'
}

function months(unit: Granularity): 'month' | 'quarter' | 'year' {
  return unit === 'quarter' || unit === 'year' ? unit : 'month'
}
