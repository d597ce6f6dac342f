import { type Sql, sql, trusted } from '@olytix/postgres'
import type { Interval } from '../semantics/query-plan.js'

/**
 * The beginning of the period that a time lies in, on the wall clock of the session's zone, whether the column is a
 * date, a timestamp or a timestamptz.
 */
export function bucket(value: Sql, unit: string): Sql {
  return sql`date_trunc('${trusted(unit)}', ${value}::timestamp)`
}

/** A moment before another. */
export function stepBack(at: Sql, { count, unit }: Interval): Sql {
  const [times, length] = unit === 'quarter' ? [3 * count, 'month'] : [count, unit]
  return sql`(${at} - interval '${trusted(String(times))} ${trusted(length)}')`
}
