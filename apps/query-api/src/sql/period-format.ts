import { type Sql, sql, trusted } from '@olytix/postgres'
import type { Granularity } from '../semantics/query-plan.js'

/** How a period is written in answers, as a format of `to_char`. */
const FORMATS: Readonly<Record<Granularity, string>> = {
  second: 'YYYY-MM-DD"T"HH24:MI:SS',
  minute: 'YYYY-MM-DD"T"HH24:MI:SS',
  hour: 'YYYY-MM-DD"T"HH24:MI:SS',
  day: 'YYYY-MM-DD',
  week: 'YYYY-MM-DD',
  month: 'YYYY-MM',
  quarter: 'YYYY-"Q"Q',
  year: 'YYYY',
}

/** The written form of a period's beginning: `2016-Q1`, a week as its Monday. */
export function formatPeriod(start: Sql, granularity: Granularity): Sql {
  return sql`to_char(${start}, '${trusted(FORMATS[granularity])}')`
}
