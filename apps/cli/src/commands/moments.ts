import { InvalidArgumentError } from 'commander'
import { z } from 'zod'

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })])

/** `2026-01-31` or `2026-01-31T12:00:00Z`, as it stands. @throws InvalidArgumentError */
export function parseMoment(text: string): string {
  const parsed = moment.safeParse(text)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError('Expected a date or a moment: 2026-01-31 or 2026-01-31T12:00:00Z.')
}
