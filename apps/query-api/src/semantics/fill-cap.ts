import type { ErrorDetail } from '@olytix/errors'
import { GRANULARITIES, type Granularity } from '../project/project.js'
import { ceiling, floor, type LocalTime, parseTime } from './local-time.js'
import type { FillPlan } from './query-plan.js'
import type { QueryRequest } from './query-request.js'

/** How many periods may be filled. */
export const MAX_FILLED = 10_000

/**
 * Why a question's range has more periods than may be filled: the range, how many they are and the next longer ones.
 * `undefined` when it has not, or when only the data will tell.
 */
export function tooManyToFill(
  fill: FillPlan | undefined,
  { timeRange }: Pick<QueryRequest, 'timeRange'>,
): ErrorDetail | undefined {
  if (!fill?.range || !timeRange || 'last' in timeRange) return undefined
  const { start, end } = timeRange
  const [from, to] = [beginningOf(start), endOf(end)]
  const count = from === undefined || to === undefined ? 0 : periodsIn(from, to, fill.unit)
  if (count <= MAX_FILLED) return undefined
  const message = `${start} to ${end} are ${inDigits(count)} ${fill.unit}s; at most ${inDigits(MAX_FILLED)} can be filled${orLonger(fill.unit)}`
  return { path: 'fill', message }
}

/** The same where only the data showed it. */
export function tooManyFilled({ unit }: FillPlan): ErrorDetail {
  const message = `more than ${inDigits(MAX_FILLED)} ${unit}s lie between the first and the last; give a time_range${orLonger(unit)}`
  return { path: 'fill', message }
}

function orLonger(unit: Granularity): string {
  const longer = GRANULARITIES[GRANULARITIES.indexOf(unit) + 1]
  return longer ? `, or ask for ${longer}s` : ''
}

function inDigits(count: number): string {
  return count.toLocaleString('en')
}

function beginningOf(text: string): LocalTime | undefined {
  const time = parseTime(text)
  if (time?.kind === 'instant') return undefined
  return time?.kind === 'period' ? time.from : time?.at
}

function endOf(text: string): LocalTime | undefined {
  const time = parseTime(text)
  if (time?.kind === 'instant') return undefined
  return time?.kind === 'period' ? time.to : time && time.at + 1n
}

function periodsIn(from: LocalTime, to: LocalTime, unit: Granularity): number {
  const [first, last] = [floor(from, unit), ceiling(to, unit)]
  const days = Number(last - first) / 86_400_000_000
  const months = monthOf(last) - monthOf(first)
  const counts: Readonly<Record<Granularity, number>> = {
    second: days * 86_400,
    minute: days * 1440,
    hour: days * 24,
    day: days,
    week: days / 7,
    month: months,
    quarter: months / 3,
    year: months / 12,
  }
  return counts[unit]
}

function monthOf(time: LocalTime): number {
  const date = new Date(Number(time / 1000n))
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
