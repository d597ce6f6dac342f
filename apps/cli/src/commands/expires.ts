import { InvalidArgumentError } from 'commander'

/** A hundred years; a typing error beyond that. */
const MAX_DAYS = 36_500

/** `365d` as days. @throws InvalidArgumentError */
export function parseExpires(text: string): number {
  const days = /^[1-9]\d*d$/.test(text) ? Number(text.slice(0, -1)) : NaN
  if (days <= MAX_DAYS) return days
  throw new InvalidArgumentError(
    `Expected a number of days like 365d, from 1d to ${String(MAX_DAYS)}d.`,
  )
}
