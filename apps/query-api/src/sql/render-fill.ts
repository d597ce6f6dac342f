import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { Test, Value } from '../semantics/condition.js'
import { MAX_FILLED } from '../semantics/fill-cap.js'
import type { FillPlan } from '../semantics/query-plan.js'
import { bucket, stepBack } from './time-sql.js'

/**
 * Every period from the first to the last, with each combination of the other dimensions, as columns `d0`, `d1` …
 * @param keys the dimensions as expressions over `groups`
 * @param groups the groups that there are, to read FROM
 */
export function renderFilled(
  { dimension, unit, range }: FillPlan,
  keys: readonly Sql[],
  groups: Sql,
): Sql {
  const others = keys.flatMap((key, index) => (index === dimension ? [] : [{ key, index }]))
  const columns = keys.map((_, index) => {
    const value = index === dimension ? sql`"at"` : ident('others', `d${String(index)}`)
    return sql`${value} as ${ident(`d${String(index)}`)}`
  })
  const named = others.map(({ key, index }) => sql`${key} as ${ident(`d${String(index)}`)}`)
  const combinations =
    named.length === 0
      ? sql``
      : sql`\n  cross join (select distinct ${joinSql(named, ', ')} from ${groups}) as "others"`
  const time = keys[dimension] ?? sql`null::timestamp`
  const [low, high] = range ? rangeEnds(range) : [sql`min(${time})`, sql`max(${time})`]
  const from = range ? sql`` : sql` from ${groups}`
  const ends = sql`select ${bucket(low, unit)} as "low", ${bucket(high, unit)} as "high"${from}`
  return sql`  select ${joinSql(columns, ', ')}
  from (${ends}) as "ends"
  cross join lateral generate_series("low", "high", ${step(unit)}) as "periods" ("at")${combinations}`
}

/** A step of nothing is an error of PostgreSQL's: more periods than allowed are none at all, not some. */
function step(unit: FillPlan['unit']): Sql {
  const start = sql`"low"`
  const last = stepBack(start, { count: -MAX_FILLED, unit })
  const one = unit === 'quarter' ? '3 month' : `1 ${unit}`
  return sql`case when "high" >= ${last} then interval '0' else interval '${trusted(one)}' end`
}

function rangeEnds(range: Test): readonly [Sql, Sql] {
  if (range.kind === 'recent') {
    const present = bucket(sql`localtimestamp`, range.unit)
    return [stepBack(present, range), before(present)]
  }
  if (range.kind === 'between') return [bound(range.low), bound(range.high)]
  if (range.kind !== 'period' || !range.from || !range.to) throw new Error('a range has two ends')
  return [bound(range.from), before(bound(range.to))]
}

function before(time: Sql): Sql {
  return sql`(${time} - interval '1 microsecond')`
}

function bound({ type, value }: Value): Sql {
  return sql`${value}::${trusted(type)}`
}
