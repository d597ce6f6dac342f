import { type Command, InvalidArgumentError } from 'commander'
import type { EventQuery } from '../api/newest-events.js'
import { parseMoment } from './moments.js'

const MAX_LIMIT = 100_000

/** Which events of a trail to show. */
export interface EventOptions extends EventQuery {
  readonly limit: number
}

/** @param example a type of this trail; @param subject what `--subject` finds */
export function addEventOptions(command: Command, example: string, subject: string): Command {
  return command
    .option('--type <type>', `only of this type, as in ${example}`)
    .option('--subject <id>', subject)
    .option('--from <moment>', 'from this date or moment on', parseMoment)
    .option('--to <moment>', 'before this date or moment', parseMoment)
    .option('--limit <n>', 'at most so many', parseLimit, 100)
}

function parseLimit(text: string): number {
  const limit = /^[1-9]\d*$/.test(text) ? Number(text) : NaN
  if (limit <= MAX_LIMIT) return limit
  throw new InvalidArgumentError(`Expected a number from 1 to ${String(MAX_LIMIT)}.`)
}
