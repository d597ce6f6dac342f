import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { GuardedFact } from '../rls/guard-plan.js'
import type { AggregateColumn, GroupColumn } from '../semantics/query-plan.js'
import { aggregateOver, renderAggregate } from './render-aggregate.js'
import { renderCondition } from './render-condition.js'
import {
  groupNames,
  namesOf,
  renderFrom,
  renderGroup,
  renderPassing,
  renderWhere,
} from './render-from.js'
import { renderRunning } from './render-running.js'
import { parenthesized, renderValue } from './render-value.js'

/** One fact as a SELECT: its sources each behind its guard, joined, filtered, grouped and aggregated. */
export function renderFact(fact: GuardedFact): Sql {
  const core = renderCore(fact)
  return fact.onSpine && !fact.passing ? renderOnSpine(fact, fact.onSpine, core) : core
}

function renderCore(fact: GuardedFact): Sql {
  if (fact.edge) return renderEdge(fact, fact.edge)
  if (fact.conversion) return renderConversion(fact, fact.conversion)
  if (fact.timeline?.regroup) return renderRegrouped(fact, fact.timeline)
  return renderRunning(fact) ?? renderPlain(fact, [])
}

/** @param more further columns to group by */
function renderPlain(fact: GuardedFact, more: readonly Sql[]): Sql {
  const groups = [...renderGroups(fact.groups), ...more]
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

function renderGroups(groups: GuardedFact['groups']): Sql[] {
  return groups.flatMap((group, index) => {
    if (!group) return []
    return [sql`${renderGroup(group)} as ${ident(`d${String(index)}`)}`]
  })
}

function groupBy(count: number): Sql {
  if (count === 0) return sql``
  const positions = Array.from({ length: count }, (_, index) => trusted(String(index + 1)))
  return sql`\n  group by ${joinSql(positions, ', ')}`
}

/** Only rows at the first or last time of their group are aggregated; of totals, of those the first or last of all. */
function renderEdge(fact: GuardedFact, edge: NonNullable<GuardedFact['edge']>): Sql {
  const groups = fact.passing ?? fact.groups
  const time = renderValue(edge.time)
  const periods = edge.groups.flatMap((at) => {
    const group = groups[at]
    return group ? [renderGroup(group)] : []
  })
  const by = edge.by.map((value, index) => sql`${renderValue(value)} as ${keyName(index)}`)
  const extreme = trusted(edge.choice === 'first' ? 'min' : 'max')
  const columns = [
    ...renderGroups(groups),
    ...valueColumns(fact),
    ...by,
    sql`${time} as "t"`,
    sql`${extreme}(${time}) over (${partition([...periods, ...edge.by.map(renderValue)])}) as "edge"`,
  ]
  const rows = sql`(select ${joinSql(columns, ', ')}
  from ${renderFrom(fact)}${renderWhere({ ...fact, passing: undefined })}) as "rows"`
  if (!fact.passing)
    return renderOver(
      fact,
      sql`${rows}
  where "t" = "edge"`,
    )
  const keys = edge.by.map((_, index) => keyName(index))
  const left = sql`select *, ${extreme}("t") over (${partition(keys)}) as "last"
  from ${rows}
  where "t" = "edge" and ${renderPassing(fact, namesOf(fact.passing))}`
  return renderOver(
    fact,
    sql`(${left}) as "left"
  where "t" = "last"`,
  )
}

function keyName(index: number): Sql {
  return ident(`k${String(index)}`)
}

function partition(by: readonly Sql[]): Sql {
  return by.length > 0 ? sql`partition by ${joinSql(by, ', ')}` : sql``
}

/** Each row is credited to the latest row of the base before it. */
function renderConversion(
  fact: GuardedFact,
  { source, baseTime }: NonNullable<GuardedFact['conversion']>,
): Sql {
  const row = ident(source.alias, 'olytix_row')
  const groups = fact.passing ?? fact.groups
  const columns = [...renderGroups(groups), ...valueColumns(fact), sql`${row} as "row"`]
  const order = [
    row,
    sql`${renderValue(baseTime)} desc`,
    ...groups.flatMap((group) => (group ? [inOrder(group)] : [])),
  ]
  const rows = sql`select distinct on (${row}) ${joinSql(columns, ', ')}
  from ${renderFrom(fact)}${renderWhere({ ...fact, passing: undefined })}
  order by ${joinSql(order, ', ')}`
  const passing =
    fact.passing &&
    sql`
  where ${renderPassing(fact, namesOf(fact.passing))}`
  return renderOver(fact, sql`(${rows}) as "rows"${passing ?? sql``}`)
}

/** Texts by code points, whatever the database's collation is. */
function inOrder(group: GroupColumn): Sql {
  const isText = group.value.type === 'string'
  return isText ? sql`${renderGroup(group)} collate "C"` : renderGroup(group)
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
  from (${renderRunning(fact) ?? renderPlain(fact, [moment])}) as "moments"${groupBy(groups.length)}`
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
