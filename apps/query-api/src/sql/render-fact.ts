import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { GuardedFact } from '../rls/guard-plan.js'
import type { AggregateColumn } from '../semantics/query-plan.js'
import { aggregateOver, renderAggregate } from './render-aggregate.js'
import { renderCondition } from './render-condition.js'
import { bucket } from './time-sql.js'
import { groupNames, renderFrom, renderWhere } from './render-from.js'
import { parenthesized, renderValue } from './render-value.js'

/** One fact as a SELECT: its sources each behind its guard, joined, filtered, grouped and aggregated. */
export function renderFact(fact: GuardedFact): Sql {
  const core = renderCore(fact)
  return fact.onSpine ? renderOnSpine(fact, fact.onSpine, core) : core
}

function renderCore(fact: GuardedFact): Sql {
  if (fact.edge) return renderEdge(fact, fact.edge)
  if (fact.conversion) return renderConversion(fact, fact.conversion)
  if (fact.timeline?.regroup) return renderRegrouped(fact, fact.timeline)
  return renderPlain(fact, [])
}

/** @param more further columns to group by */
function renderPlain(fact: GuardedFact, more: readonly Sql[]): Sql {
  const groups = [...renderGroups(fact), ...more]
  const hasGroups = groups.length > 0
  const aggregates = fact.aggregates.map((column) => {
    return sql`${renderAggregate(column, hasGroups)} as ${ident(column.alias)}`
  })
  const columns = [...groups, ...aggregates]
  // A fact about nothing but whether it has rows.
  const isEmpty = columns.length === 0
  return sql`  select ${isEmpty ? sql`1 as "one"` : joinSql(columns, ', ')}
  from ${renderFrom(fact)}${renderWhere(fact)}${groupBy(groups.length)}${isEmpty ? sql`\n  limit 1` : sql``}`
}

function renderGroups({ groups }: GuardedFact): Sql[] {
  return groups.flatMap((group, index) => {
    if (!group) return []
    const { value, granularity } = group
    const rendered = granularity ? bucket(parenthesized(value), granularity) : renderValue(value)
    return [sql`${rendered} as ${ident(`d${String(index)}`)}`]
  })
}

function groupBy(count: number): Sql {
  if (count === 0) return sql``
  const positions = Array.from({ length: count }, (_, index) => trusted(String(index + 1)))
  return sql`\n  group by ${joinSql(positions, ', ')}`
}

/** Only rows at the first or last time of their group are aggregated. */
function renderEdge(fact: GuardedFact, edge: NonNullable<GuardedFact['edge']>): Sql {
  const time = renderValue(edge.time)
  const groups = edge.groups.flatMap((at) => {
    const group = fact.groups[at]
    if (!group) return []
    const { value, granularity } = group
    return [granularity ? bucket(parenthesized(value), granularity) : renderValue(value)]
  })
  const by = [...groups, ...edge.by.map(renderValue)]
  const partition = by.length > 0 ? sql`partition by ${joinSql(by, ', ')}` : sql``
  const extreme = trusted(edge.choice === 'first' ? 'min' : 'max')
  const columns = [
    ...renderGroups(fact),
    ...valueColumns(fact),
    sql`${time} as "t"`,
    sql`${extreme}(${time}) over (${partition}) as "edge"`,
  ]
  const rows = sql`select ${joinSql(columns, ', ')}
  from ${renderFrom(fact)}${renderWhere(fact)}`
  return renderOver(fact, sql`(${rows}) as "rows"\n  where "t" = "edge"`)
}

/** Each row is credited to the latest row of the base before it. */
function renderConversion(
  fact: GuardedFact,
  { source, baseTime }: NonNullable<GuardedFact['conversion']>,
): Sql {
  const row = ident(source.alias, 'olytix_row')
  const columns = [...renderGroups(fact), ...valueColumns(fact), sql`${row} as "row"`]
  const rows = sql`select distinct on (${row}) ${joinSql(columns, ', ')}
  from ${renderFrom(fact)}${renderWhere(fact)}
  order by ${row}, ${renderValue(baseTime)} desc`
  return renderOver(fact, sql`(${rows}) as "rows"`)
}

/** What is aggregated, as columns of a sub-query. */
function valueColumns({ aggregates }: GuardedFact): Sql[] {
  return aggregates.map(({ value }, index) => {
    return sql`${value ? parenthesized(value) : sql`1`} as ${ident(`v${String(index)}`)}`
  })
}

function renderOver(fact: GuardedFact, from: Sql): Sql {
  const groups = groupNames(fact)
  const aggregates = fact.aggregates.map((column, index) => {
    const value = ident(`v${String(index)}`)
    return sql`${aggregateOver(column, value)} as ${ident(column.alias)}`
  })
  return sql`  select ${joinSql([...groups, ...aggregates], ', ')}
  from ${from}${groupBy(groups.length)}`
}

/** Values of the spine's rows first, then of each longer group the first, last or average of them. */
function renderRegrouped(
  fact: GuardedFact,
  { alias, spine, regroup }: NonNullable<GuardedFact['timeline']>,
): Sql {
  const moment = sql`${ident(alias, spine.column)} as "t"`
  const groups = groupNames(fact)
  const aggregates = fact.aggregates.map((column) => {
    return sql`${ofPeriod(column, regroup)} as ${ident(column.alias)}`
  })
  return sql`  select ${joinSql([...groups, ...aggregates], ', ')}
  from (${renderPlain(fact, [moment])}) as "moments"${groupBy(groups.length)}`
}

function ofPeriod({ alias }: AggregateColumn, regroup: string | undefined): Sql {
  const value = ident(alias)
  if (regroup === 'average') return sql`avg(${value})`
  const direction = trusted(regroup === 'last' ? 'desc' : 'asc')
  return sql`(array_agg(${value} order by "t" ${direction}))[1]`
}

/** Every period of the time spine, with the groups that the fact has in it. */
function renderOnSpine(
  fact: GuardedFact,
  { periods, positions, where }: NonNullable<GuardedFact['onSpine']>,
  core: Sql,
): Sql {
  const column = (index: number): Sql => {
    const side = positions.includes(index) ? 'periods' : 'groups'
    return ident(side, `d${String(index)}`)
  }
  const groups = fact.groups.flatMap((group, index) => (group ? [column(index)] : []))
  const aggregates = fact.aggregates.map(({ alias }) => ident('groups', alias))
  const pairs = positions.map((index) => {
    const name = `d${String(index)}`
    return sql`${ident('periods', name)} = ${ident('groups', name)}`
  })
  const condition =
    where &&
    sql`\n  where ${renderCondition(where, {
      value: (subject) => ('dimension' in subject ? column(subject.dimension) : sql`null`),
      holds: () => sql`false`,
      isEpoch: () => false,
    })}`
  return sql`  select ${joinSql([...groups, ...aggregates], ', ')}
  from (${renderPlain(periods, [])}) as "periods"
  left join (${core}) as "groups" on ${joinSql(pairs, ' and ')}${condition ?? sql``}`
}
