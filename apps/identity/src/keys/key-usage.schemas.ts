import { invalidRequest } from '@olytix/errors'
import { type GetKeyUsageRequest, UsageGranularity } from '@olytix/proto'
import { isMoment } from '../audit/moment.js'
import type { UsageSpan } from './key-uses.service.js'
import { parseKeyId } from './keys.schemas.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

interface Granularity {
  readonly unit: UsageSpan['unit']
  readonly unitMs: number
  readonly defaultMs: number
  readonly longestMs: number
}

const HOUR: Granularity = {
  unit: 'hour',
  unitMs: HOUR_MS,
  defaultMs: 7 * DAY_MS,
  longestMs: 31 * DAY_MS,
}
const DAY: Granularity = {
  unit: 'day',
  unitMs: DAY_MS,
  defaultMs: 30 * DAY_MS,
  longestMs: 366 * DAY_MS,
}

const GRANULARITIES: Readonly<Partial<Record<UsageGranularity, Granularity>>> = {
  [UsageGranularity.USAGE_GRANULARITY_UNSPECIFIED]: DAY,
  [UsageGranularity.USAGE_GRANULARITY_HOUR]: HOUR,
  [UsageGranularity.USAGE_GRANULARITY_DAY]: DAY,
}

/**
 * Reads a GetKeyUsage message; whole hours or days, the present one included.
 * @throws AppError INVALID_REQUEST, NOT_FOUND
 */
export function parseUsageQuestion(
  message: GetKeyUsageRequest,
  now: Date,
): { readonly id: string; readonly span: UsageSpan } {
  const granularity = GRANULARITIES[message.granularity]
  if (!granularity) throw refused('granularity', 'must be hour or day')
  const { unit, unitMs, defaultMs, longestMs } = granularity
  const cut = (ms: number): number => Math.floor(ms / unitMs) * unitMs
  const to = message.to ?? new Date(cut(now.getTime()) + unitMs)
  const from = message.from ?? new Date(to.getTime() - defaultMs)
  if (!isMoment(to)) throw refused('to', 'must be a moment from 1970 to 9999')
  if (message.from && !isMoment(from)) throw refused('from', 'must be a moment from 1970 to 9999')
  if (from >= to) throw refused('from', 'must be before to')
  const start = new Date(cut(from.getTime()))
  if (to.getTime() - start.getTime() > longestMs + unitMs) {
    throw refused('from', `must be at most ${String(longestMs / DAY_MS)} days before to`)
  }
  return { id: parseKeyId(message.id), span: { from: start, to, unit } }
}

function refused(path: string, problem: string): Error {
  return invalidRequest([{ path, message: `${path} ${problem}` }])
}
