import { ident, type Sql, sql, trusted } from '@olytix/postgres'
import type { Interval, Step, TimeSpine } from '../semantics/query-plan.js'
import { isGranularity } from '../semantics/timeline.js'
import { bucket, stepBack } from './time-sql.js'

const MAPPED = 'olytix_at'

/** The moment that a row of a time spine looks at. */
export function stepsFrom(alias: string, spine: TimeSpine, steps: readonly Step[]): Sql {
  if (calendarStep(steps)) return ident(alias, MAPPED)
  const start = sql`${ident(alias, spine.column)}::timestamp`
  return steps.reduce(
    (at, step) => ('back' in step ? stepBack(at, step.back) : bucket(at, step.toGrain)),
    start,
  )
}

function calendarStep(steps: readonly Step[]): Interval | undefined {
  const [step] = steps
  const isOwn = step && 'back' in step && !isGranularity(step.back.unit)
  return isOwn ? step.back : undefined
}

/**
 * A time spine whose rows know the moment a number of a calendar's periods before: the n-th row of a period looks at the
 * n-th of that period, or at its last if that one is shorter. `undefined` when no step is one of a calendar.
 */
export function calendarSteps(spine: TimeSpine, steps: readonly Step[]): Sql | undefined {
  const step = calendarStep(steps)
  const column = spine.calendar[step?.unit ?? '']
  if (!step || column === undefined) return undefined
  const period = ident(column)
  const at = ident(spine.column)
  const numbered = sql`(
    select s.*, dense_rank() over (order by ${period}) as olytix_period,
      row_number() over (partition by ${period} order by ${at}) as olytix_n,
      count(*) over (partition by ${period}) as olytix_size
    from ${trusted(spine.table)} as s
  )`
  return sql`(
    select a.*, b.${at} as ${ident(MAPPED)} from ${numbered} as a join ${numbered} as b
      on b.olytix_period = a.olytix_period - ${trusted(String(step.count))}
      and b.olytix_n = least(a.olytix_n, b.olytix_size)
  )`
}
