import { InvalidArgumentError } from 'commander'

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 }
const MAX_SECONDS = 30 * SECONDS.d

/** `24h`, `30m`, `7d`, `90s` or `0` as seconds; thirty days at most. @throws InvalidArgumentError */
export function parseOverlap(text: string): number {
  if (text === '0') return 0
  const [, amount, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(amount) * unitSeconds(unit)
  if (seconds <= MAX_SECONDS) return seconds
  throw new InvalidArgumentError('Expected a time like 24h, 30m or 7d, at most 30d, or 0.')
}

function unitSeconds(unit: string | undefined): number {
  return unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' ? SECONDS[unit] : NaN
}
