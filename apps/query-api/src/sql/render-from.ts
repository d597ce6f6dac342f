import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { GuardedFact, GuardedKeyedMetric } from '../rls/guard-plan.js'
import type {
  CalendarJoin,
  ConversionPlan,
  GroupColumn,
  JoinNode,
  SpineNode,
  TimelinePlan,
} from '../semantics/query-plan.js'
import { renderCondition } from './render-condition.js'
import { bucket, stepBack } from './time-sql.js'
import { renderFact } from './render-fact.js'
import { renderSelect } from './render-sql.js'
import { renderSource } from './render-source.js'
import { calendarSteps, stepsFrom } from './render-steps.js'
import { pair, parenthesized, renderExpression, renderValue, ROWS } from './render-value.js'

/** The rows of a fact: those of its base, seen from a time spine perhaps, with all that is joined to them. */
export function renderFrom(fact: GuardedFact): Sql {
  const joins = [
    ...(fact.conversion ? [renderConversionJoin(fact, fact.conversion)] : []),
    ...fact.joins.map((join) => renderJoin(join, fact)),
    ...fact.calendars.map(renderCalendar),
    ...fact.keyed.map(renderKeyed),
  ]
  return sql`${renderBase(fact)}${joinSql(joins, '')}`
}

/** Names of the groups' columns. */
export function groupNames({ groups }: GuardedFact): Sql[] {
  return namesOf(groups).flatMap((name) => name ?? [])
}

/** The same by position. */
export function namesOf(groups: GuardedFact['groups']): (Sql | undefined)[] {
  return groups.map((group, index) => group && ident(`d${String(index)}`))
}

/** A dimension of the answer, as an expression over the rows of a fact. */
export function renderGroup({ value, granularity }: GroupColumn): Sql {
  return granularity ? bucket(parenthesized(value), granularity) : renderValue(value)
}

/** Whether the answer has the group with these dimensions, and the fact's time spine has its periods. */
export function renderPassing({ onSpine }: GuardedFact, keys: readonly (Sql | undefined)[]): Sql {
  const pairs = keys.flatMap((key, index) => {
    return key ? [sql`array[${ident('passing', `c${String(index)}`)}] = array[${key}]`] : []
  })
  const same = pairs.length > 0 ? sql` where ${joinSql(pairs, ' and ')}` : sql``
  const passing = sql`exists (select from "passing"${same})`
  return onSpine ? sql`${passing} and ${renderOnSpine(onSpine, keys)}` : passing
}

function renderOnSpine(
  { periods, positions }: NonNullable<GuardedFact['onSpine']>,
  keys: readonly (Sql | undefined)[],
): Sql {
  const pairs = positions.flatMap((at) => {
    const key = keys[at]
    return key ? [sql`${ident('periods', `d${String(at)}`)} = ${key}`] : []
  })
  return sql`exists (select from (${renderFact(periods)}) as "periods" where ${joinSql(pairs, ' and ')})`
}

export function renderWhere(fact: GuardedFact): Sql {
  const { where, timeline, passing } = fact
  const conditions = [
    ...(where ? [renderCondition(where, ROWS)] : []),
    ...(timeline ? onMoments(timeline) : []),
    ...(passing
      ? [
          renderPassing(
            fact,
            passing.map((group) => group && renderGroup(group)),
          ),
        ]
      : []),
  ]
  return conditions.length > 0 ? sql`\n  where ${joinSql(conditions, ' and ')}` : sql``
}

/** Which rows of the spine count. */
export function onMoments(timeline: TimelinePlan): Sql[] {
  return [...beginnings(timeline), ...within(timeline)]
}

/** Only rows of the spine that begin a period. */
function beginnings({ alias, spine, starts }: TimelinePlan): Sql[] {
  if (starts.length === 0) return []
  const at = ident(alias, spine.column)
  const each = starts.map((unit) => sql`${at} = ${bucket(at, unit)}`)
  return [sql`(${joinSql(each, ' or ')})`]
}

/** Only moments inside a range. */
function within({ alias, spine, steps, within: condition }: TimelinePlan): Sql[] {
  if (!condition) return []
  const moment = stepsFrom(alias, spine, steps)
  const subjects = { value: () => moment, holds: () => moment, isEpoch: () => false }
  return [renderCondition(condition, subjects)]
}

function renderBase(fact: GuardedFact): Sql {
  const { base, timeline, periods } = fact
  if (!('cube' in base)) return renderPeriods(base)
  const source = renderSource(base, fact)
  if (periods) return sql`${source}\n  cross join ${renderPeriods(periods)}`
  if (!timeline) return source
  return sql`${renderSpine(timeline)}\n  join ${source} on ${renderSeen(timeline)}`
}

function renderPeriods({ alias, spine }: SpineNode): Sql {
  return sql`${trusted(spine.table)} as ${ident(alias)}`
}

export function renderSpine({ alias, spine, steps }: TimelinePlan): Sql {
  const mapped = calendarSteps(spine, steps)
  return sql`${mapped ?? trusted(spine.table)} as ${ident(alias)}`
}

/** Which rows of the base a row of the spine looks at. */
function renderSeen({ alias, spine, time, cut, steps, accumulation }: TimelinePlan): Sql {
  const plain = sql`${parenthesized(time)}::timestamp`
  const at = cut ? bucket(parenthesized(time), cut) : plain
  const moment = stepsFrom(alias, spine, steps)
  if (!accumulation) return sql`${at} = ${moment}`
  const { window, grainToDate } = accumulation
  if (window) return sql`${at} <= ${moment} and ${at} > ${stepBack(moment, window)}`
  if (grainToDate) return sql`${at} <= ${moment} and ${at} >= ${bucket(moment, grainToDate)}`
  return sql`${at} <= ${moment}`
}

function renderConversionJoin(fact: GuardedFact, conversion: ConversionPlan): Sql {
  const { source, equal, baseTime, time, window } = conversion
  const [before, after] = [baseTime, time].map((each) => sql`${parenthesized(each)}::timestamp`)
  const conditions = [
    ...equal.map(pair),
    sql`${before} <= ${after}`,
    ...(window && after ? [sql`${before} > ${stepBack(after, window)}`] : []),
  ]
  const alias = ident(source.alias)
  const rows = sql`(select row_number() over () as "olytix_row", ${alias}.* from ${renderSource(source, fact)})`
  return sql`\n  join ${rows} as ${alias} on ${joinSql(conditions, ' and ')}`
}

function renderJoin({ source, on, own, other, equal, validity }: JoinNode, fact: GuardedFact): Sql {
  const conditions = [
    renderExpression(on, { own, other }),
    ...equal.map(pair),
    ...(validity ? renderValidity(validity) : []),
  ]
  // PostgreSQL joins on both sides only where all conditions are equalities.
  const isFull = fact.isFullJoin && !validity
  const how = trusted(isFull ? 'full join' : 'left join')
  const condition =
    conditions.length === 1
      ? conditions[0]
      : joinSql(
          conditions.map((each) => sql`(${each})`),
          ' and ',
        )
  return sql`\n  ${how} ${renderSource(source, fact)} on ${condition}`
}

function renderValidity({ from, to, time }: NonNullable<JoinNode['validity']>): Sql[] {
  const [begin, end, at] = [from, to, time].map(parenthesized)
  return [sql`(${begin} <= ${at} or ${begin} is null)`, sql`(${at} < ${end} or ${end} is null)`]
}

export function renderCalendar({ alias, spine, time }: CalendarJoin): Sql {
  const own = ident(alias, spine.column)
  const day = bucket(parenthesized(time), spine.granularity)
  return sql`\n  left join ${trusted(spine.table)} as ${ident(alias)} on ${own} = ${day}`
}

function renderKeyed({ alias, plan, keys }: GuardedKeyedMetric): Sql {
  const conditions = keys.map((key, index) => {
    return sql`${ident(alias, `c${String(index)}`)} = ${renderValue(key)}`
  })
  return sql`\n  left join (${renderSelect(plan)}) as ${ident(alias)} on ${joinSql(conditions, ' and ')}`
}
