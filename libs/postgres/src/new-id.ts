import { randomInt } from 'node:crypto'

const TIME_LENGTH = 9
const RANDOM_LENGTH = 12

/**
 * A new id: prefix, nine characters of time and twelve of chance, in base 36: `key_0mb3…`. Ids of one kind sort by the
 * millisecond they were made in.
 */
export function newId(prefix: string, now: Date): string {
  const time = now.getTime().toString(36).padStart(TIME_LENGTH, '0')
  const random = Array.from({ length: RANDOM_LENGTH }, () => randomInt(36).toString(36)).join('')
  return `${prefix}_${time}${random}`
}
