import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { GuardedFact } from '../rls/guard-plan.js'
import { allOf, type RowCondition, type RowValue, subjectsOf } from '../semantics/condition.js'
import type { CalendarJoin, TimelinePlan } from '../semantics/query-plan.js'
import { isRunning, overPeriods, renderAggregate } from './render-aggregate.js'
import { renderCondition } from './render-condition.js'
import { onMoments, renderCalendar, renderFrom, renderGroup, renderSpine } from './render-from.js'
import { stepsFrom } from './render-steps.js'
import { parenthesized, ROWS } from './render-value.js'
import { bucket, stepBack } from './time-sql.js'

/** The parts of an accumulation that are about rows, and those that are about the time spine alone. */
interface Sides {
  readonly rows: RowCondition | undefined
  readonly spine: readonly Sql[]
  readonly spineCalendars: readonly CalendarJoin[]
  readonly isOfSpine: (value: RowValue) => boolean
}

/**
 * An accumulation in one pass: rows are aggregated by period, and these values are run over in the order of time, where
 * otherwise each row of the spine would be joined to every earlier row. The time of the spine's rows comes as `t`.
 * @returns `undefined` where that is not the same: for aggregates that are not made of aggregates, and conditions that
 *   compare rows with the time they are seen from
 */
export function renderRunning(fact: GuardedFact): Sql | undefined {
  const { timeline, aggregates } = fact
  if (!timeline?.accumulation || fact.passing || aggregates.length === 0) return undefined
  const hasWindow = timeline.accumulation.window !== undefined
  const sides = sidesOf(fact, timeline)
  if (!sides || !aggregates.every((each) => isRunning(each, hasWindow))) return undefined
  const groups = fact.groups.flatMap((group, index): Group[] => {
    if (!group) return []
    return [{ group, name: columnName('d', index), isOfSpine: sides.isOfSpine(group.value) }]
  })
  return renderPasses(fact, timeline, sides, groups)
}

interface Group {
  readonly group: NonNullable<GuardedFact['groups'][number]>
  readonly name: Sql
  readonly isOfSpine: boolean
}

/** By period, then beside the spine's rows, then in the order of time; of that the spine's rows are the answer. */
function renderPasses(
  fact: GuardedFact,
  timeline: TimelinePlan,
  sides: Sides,
  groups: readonly Group[],
): Sql {
  const names = groups.map(({ name }) => name)
  const keys = groups.flatMap(({ name, isOfSpine }) => (isOfSpine ? [] : [name]))
  const values = fact.aggregates.map((_, index) => columnName('v', index))
  const results = fact.aggregates.map(({ alias }) => ident(alias))
  const running = fact.aggregates.map((column, index) => {
    return sql`${overPeriods(column, columnName('v', index))} as ${ident(column.alias)}`
  })
  const ofRows = groups.map(({ name, isOfSpine }) => (isOfSpine ? sql`null as ${name}` : name))
  const ofSpine = groups.map(({ group, name, isOfSpine }) => {
    return isOfSpine ? renderGroup(group) : sql`"groups".${name}`
  })
  const nothing = values.map(() => sql`null`)
  const toDate = timeline.accumulation?.grainToDate
  const past = toDate === undefined ? keys : [...keys, bucket(sql`"at"`, toDate)]
  return sql`  select ${list([...names, sql`"t"`, ...results])}
  from (
    with "periods" as (
${renderByPeriod(fact, timeline, sides, groups)}
    )
    select ${list([...names, sql`"t"`, ...running, sql`count("is_row") over "past" as "rows"`])}
    from (
      select ${list([...ofRows, sql`null as "t"`, sql`"at"`, ...values, sql`true as "is_row"`])}
      from "periods"
      union all
      select ${list([...ofSpine, timeOf(timeline), momentOf(timeline), ...nothing, sql`null`])}
${renderSpineWithGroups(timeline, sides, keys)}
    ) as "events"
    window "past" as (${partition(past)}order by "at"${frame(timeline)})
  ) as "seen"
  where "t" is not null and "rows" > 0`
}

/** What the rows of each period, and of each group in it, come to. */
function renderByPeriod(
  fact: GuardedFact,
  { time, cut }: TimelinePlan,
  sides: Sides,
  groups: readonly Group[],
): Sql {
  const own = groups.filter(({ isOfSpine }) => !isOfSpine)
  const value = parenthesized(time)
  const columns = [
    ...own.map(({ group, name }) => sql`${renderGroup(group)} as ${name}`),
    sql`${cut ? bucket(value, cut) : sql`${value}::timestamp`} as "at"`,
  ]
  const aggregates = fact.aggregates.map((column, index) => {
    return sql`${renderAggregate(column, true)} as ${columnName('v', index)}`
  })
  const calendars = fact.calendars.filter((each) => !sides.spineCalendars.includes(each))
  const where = sides.rows ? sql` and ${renderCondition(sides.rows, ROWS)}` : sql``
  return sql`      select ${list([...columns, ...aggregates])}
      from ${renderFrom({ ...fact, timeline: undefined, calendars })}
      where ${value} is not null${where}${groupBy(columns.length)}`
}

/** Each row of the spine with the groups that have rows it may look at. */
function renderSpineWithGroups(timeline: TimelinePlan, sides: Sides, keys: readonly Sql[]): Sql {
  const { window, grainToDate: period } = timeline.accumulation ?? {}
  const moment = momentOf(timeline)
  const of = period === undefined ? keys : [...keys, sql`${bucket(sql`"at"`, period)} as "period"`]
  const columns = [...of, sql`min("at") as "first"`, ...(window ? [sql`max("at") as "last"`] : [])]
  const conditions = [
    sql`${moment} >= "groups"."first"`,
    ...(window ? [sql`"groups"."last" > ${stepBack(moment, window)}`] : []),
    ...(period === undefined ? [] : [sql`"groups"."period" = ${bucket(moment, period)}`]),
  ]
  const calendars = joinSql(sides.spineCalendars.map(renderCalendar), '')
  const where = sides.spine.length > 0 ? sql`\n      where ${joinSql(sides.spine, ' and ')}` : sql``
  return sql`      from ${renderSpine(timeline)}
      join (
        select ${list(columns)}
        from "periods"${groupBy(of.length)}
      ) as "groups" on ${joinSql(conditions, ' and ')}${calendars}${where}`
}

function timeOf({ alias, spine }: TimelinePlan): Sql {
  return ident(alias, spine.column)
}

function momentOf({ alias, spine, steps }: TimelinePlan): Sql {
  return stepsFrom(alias, spine, steps)
}

function groupBy(count: number): Sql {
  if (count === 0) return sql``
  const positions = Array.from({ length: count }, (_, index) => trusted(String(index + 1)))
  return sql`\n      group by ${list(positions)}`
}

/** A window begins after the moment that it goes back to; times have microseconds. */
function frame({ accumulation }: TimelinePlan): Sql {
  if (!accumulation?.window) return sql``
  const { count, unit } = accumulation.window
  const [times, length] = unit === 'quarter' ? [3 * count, 'month'] : [count, unit]
  const interval = sql`interval '${trusted(String(times))} ${trusted(length)} -1 microsecond'`
  return sql` range between ${interval} preceding and current row`
}

function partition(by: readonly Sql[]): Sql {
  return by.length > 0 ? sql`partition by ${list(by)} ` : sql``
}

function sidesOf(fact: GuardedFact, timeline: TimelinePlan): Sides | undefined {
  const spineCalendars = fact.calendars.filter(({ time }) => time.alias === timeline.alias)
  const aliases = new Set([timeline.alias, ...spineCalendars.map(({ alias }) => alias)])
  const isOfSpine = ({ alias }: RowValue): boolean => aliases.has(alias)
  const conditions = conjuncts(fact.where)
  const ofSpine = conditions.filter((each) => subjectsOf(each).some(isOfSpine))
  const computed = [
    ...fact.aggregates.flatMap(({ value, filter }) => [
      ...(value ? [value] : []),
      ...(filter ? subjectsOf(filter) : []),
    ]),
    ...fact.keyed.flatMap(({ keys }) => keys),
  ]
  const isMixed = ofSpine.some((each) => !subjectsOf(each).every(isOfSpine))
  if (isMixed || computed.some(isOfSpine)) return undefined
  return {
    rows: allOf(conditions.filter((each) => !ofSpine.includes(each))),
    spine: [...ofSpine.map((each) => renderCondition(each, ROWS)), ...onMoments(timeline)],
    spineCalendars,
    isOfSpine,
  }
}

function conjuncts(where: RowCondition | undefined): RowCondition[] {
  if (!where) return []
  return where.kind === 'and' ? where.conditions.flatMap((each) => conjuncts(each)) : [where]
}

function columnName(kind: string, index: number): Sql {
  return ident(`${kind}${String(index)}`)
}

function list(parts: readonly Sql[]): Sql {
  return joinSql(parts, ', ')
}
