import type { Operator } from '../project/filter-shape.js'
import type { Granularity } from '../project/project.js'
import type { Comparison, Test, Value } from './condition.js'
import {
  ceiling,
  formatLocalTime,
  type LocalTime,
  next,
  parseTime,
  type TimeValue,
} from './local-time.js'
import { FilterProblem } from './filter-problem.js'

/**
 * The test of a time dimension, or of its periods of one granularity. A written period means all of it, and ranges
 * are half-open inside, so that nothing in a period's last moment is missed.
 * @throws FilterProblem
 */
export function timeTest(
  operator: Operator,
  texts: readonly string[],
  granularity: Granularity | undefined,
): Test {
  const times = texts.map((text, index) => readTime(text, granularity, index))
  if (operator === 'inList' || operator === 'notInList') {
    return listTest(times, granularity, operator === 'notInList')
  }
  const [first, second] = times
  if (!first) throw new Error('the number of values is checked beforehand')
  if (first.kind === 'instant') return instantTest(operator, times)
  const from = bounds(first, granularity)
  const to = second && second.kind !== 'instant' ? bounds(second, granularity) : undefined
  return rangeTest(operator, from, to, granularity)
}

function readTime(text: string, granularity: Granularity | undefined, index: number): TimeValue {
  const time = parseTime(text)
  if (!time) {
    const expected = granularity ? EXAMPLES[granularity] : '"2016-01-31" or "2016-01-31T13:00:00"'
    throw new FilterProblem(
      'value',
      `${JSON.stringify(text.slice(0, 100))} is no time; write it as ${expected}`,
      undefined,
      index,
    )
  }
  if (granularity && time.kind === 'instant') {
    throw new FilterProblem('value', 'a period is compared with a time without offset')
  }
  return time
}

const EXAMPLES: Readonly<Record<Granularity, string>> = {
  year: '"2016"',
  quarter: '"2016-Q1"',
  month: '"2016-01"',
  week: '"2016-01-04", its Monday',
  day: '"2016-01-31"',
  hour: '"2016-01-31T13:00:00"',
  minute: '"2016-01-31T13:05:00"',
  second: '"2016-01-31T13:05:09"',
}

/** The rows that lie at a written time: from `start` until before `end`. */
interface Bounds {
  readonly start: LocalTime
  readonly end: LocalTime
  /** A single moment, not a period: `end` is not used. */
  readonly isMoment: boolean
}

/** A period of a granularity counts by its beginning. */
function bounds(
  time: Exclude<TimeValue, { kind: 'instant' }>,
  unit: Granularity | undefined,
): Bounds {
  if (time.kind === 'moment' && unit === undefined) {
    return { start: time.at, end: time.at, isMoment: true }
  }
  const [from, to] = time.kind === 'period' ? [time.from, time.to] : [time.at, time.at + 1n]
  if (unit === undefined) return { start: from, end: to, isMoment: false }
  return { start: ceiling(from, unit), end: ceiling(to, unit), isMoment: false }
}

function rangeTest(
  operator: Operator,
  first: Bounds,
  second: Bounds | undefined,
  unit: Granularity | undefined,
): Test {
  if (operator === 'equals' || operator === 'notEquals') {
    return equalTest(first, operator === 'notEquals', unit)
  }
  if (operator === 'between') return betweenTest(first, second)
  if (first.isMoment) {
    const comparison = COMPARISONS[operator] ?? '='
    return { kind: 'compare', operator: comparison, value: timestamp(first.start) }
  }
  if (operator === 'gt') return period(first.end, undefined)
  if (operator === 'gte') return period(first.start, undefined)
  return period(undefined, operator === 'lt' ? first.start : first.end)
}

function betweenTest(first: Bounds, second: Bounds | undefined): Test {
  if (!second) throw new FilterProblem('value', 'write both ends without offset, or both with one')
  if (first.start > second.start) {
    throw new FilterProblem('value', 'the first time is later than the second')
  }
  return second.isMoment
    ? { kind: 'between', low: timestamp(first.start), high: timestamp(second.start) }
    : period(first.start, second.end)
}

function equalTest(at: Bounds, isNegated: boolean, unit: Granularity | undefined): Test {
  if (!at.isMoment) {
    if (at.start === at.end && unit) throw notABeginning(unit)
    return { ...period(at.start, at.end), isNegated }
  }
  const value = timestamp(at.start)
  return isNegated ? { kind: 'differs', value } : { kind: 'compare', operator: '=', value }
}

function notABeginning(unit: Granularity): FilterProblem {
  return new FilterProblem(
    'value',
    `that is not the beginning of a ${unit}; write ${EXAMPLES[unit]}`,
  )
}

function period(from: LocalTime | undefined, to: LocalTime | undefined): Test & { kind: 'period' } {
  return {
    kind: 'period',
    from: from === undefined ? undefined : timestamp(from),
    to: to === undefined ? undefined : timestamp(to),
    isNegated: false,
  }
}

/** A list holds moments, or periods of one length. */
function listTest(
  times: readonly TimeValue[],
  granularity: Granularity | undefined,
  isNegated: boolean,
): Test {
  const moments = times.flatMap((time) => (time.kind === 'moment' ? [time.at] : []))
  if (!granularity && moments.length === times.length) {
    return { kind: 'in', type: 'timestamp', values: moments.map(formatLocalTime), isNegated }
  }
  const unit = granularity ?? 'day'
  const starts = times.map((time) => {
    if (time.kind === 'instant') throw mixedList(unit)
    const { start, end } = bounds(time, unit)
    if (start === end) throw notABeginning(unit)
    if (next(start, unit) !== end || (time.kind === 'moment' && !granularity)) throw mixedList(unit)
    return formatLocalTime(start)
  })
  return { kind: 'periods', unit, starts, isNegated }
}

function mixedList(unit: Granularity): FilterProblem {
  return new FilterProblem('value', `write all times of a list as ${EXAMPLES[unit]}`)
}

const COMPARISONS: Readonly<Partial<Record<Operator, Comparison>>> = {
  equals: '=',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
}

function instantTest(operator: Operator, times: readonly TimeValue[]): Test {
  const [low, high] = times.map((time): Value | undefined =>
    time.kind === 'instant' ? { type: 'timestamptz', value: time.text } : undefined,
  )
  if (!low) throw new Error('only called for instants')
  if (operator === 'notEquals') return { kind: 'differs', value: low }
  const comparison = COMPARISONS[operator]
  if (comparison) return { kind: 'compare', operator: comparison, value: low }
  if (!high) throw new FilterProblem('value', 'write both ends without offset, or both with one')
  return { kind: 'between', low, high }
}

function timestamp(time: LocalTime): Value {
  return { type: 'timestamp', value: formatLocalTime(time) }
}
