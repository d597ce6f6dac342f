import { type Sql, sql, trusted } from '@olytix/postgres'
import type { AggregateColumn } from '../semantics/query-plan.js'
import { renderCondition } from './render-condition.js'
import { renderExpression, renderValue, ROWS } from './render-value.js'

/**
 * An aggregate of rows, with its filter.
 * @param hasGroups whether there are groups, of which one may have no row that passes the filter
 */
export function renderAggregate(column: AggregateColumn, hasGroups: boolean): Sql {
  const aggregate = aggregateOver(column, argument(column))
  if (!column.filter) return aggregate
  const filter = sql`filter (where ${renderCondition(column.filter, ROWS)})`
  const isCount = column.type === 'count' || column.type === 'count_distinct'
  if (!isCount || !column.isNullWithoutRows || !hasGroups) return sql`${aggregate} ${filter}`
  return sql`case when count(*) ${filter} > 0 then ${aggregate} ${filter} end`
}

function argument({ type, value }: AggregateColumn): Sql | undefined {
  if (!value) return undefined
  if (EXTREMES.has(type)) return renderValue(value)
  return renderExpression(value.expression, { own: value.alias, other: value.alias })
}

/** An aggregate over what an expression gives for each row. */
export function aggregateOver(column: AggregateColumn, value: Sql | undefined): Sql {
  if (column.type === 'count' && !column.value) return sql`count(*)`
  if (!value) throw new Error('only a count has no expression')
  return AGGREGATES[column.type](value, column)
}

/**
 * Whether it can be made of what it is for parts of the rows, in one pass over them. A least or greatest value would be
 * looked for anew in each window.
 */
export function isRunning({ type }: AggregateColumn, hasWindow: boolean): boolean {
  return ADDED.has(type) || (EXTREMES.has(type) && !hasWindow)
}

/** Of what it is for each of many periods, over the window `past`. */
export function overPeriods(column: AggregateColumn, value: Sql): Sql {
  if (EXTREMES.has(column.type)) return sql`${aggregateOver(column, value)} over "past"`
  const added = sql`sum(${value}) over "past"`
  return column.type === 'sum' ? added : sql`(${added})::bigint`
}

const ADDED: ReadonlySet<AggregateColumn['type']> = new Set(['count', 'sum', 'sum_boolean'])

const EXTREMES: ReadonlySet<AggregateColumn['type']> = new Set(['min', 'max', 'least', 'greatest'])

type Render = (value: Sql, column: AggregateColumn) => Sql

const AGGREGATES: Readonly<Record<AggregateColumn['type'], Render>> = {
  count: (value) => sql`count(${value})`,
  count_distinct: (value) => sql`count(distinct ${value})`,
  sum: (value) => sql`sum(${value})`,
  avg: (value) => sql`avg(${value})`,
  min: (value, column) => extreme(value, column, 'min'),
  max: (value, column) => extreme(value, column, 'max'),
  median: percentile,
  percentile,
  sum_boolean: (value) => sql`sum((${value})::int)`,
  least: (value, column) => extreme(value, column, 'min'),
  greatest: (value, column) => extreme(value, column, 'max'),
}

function percentile(value: Sql, { percentile: share = 0.5, isDiscrete }: AggregateColumn): Sql {
  const name = trusted(isDiscrete ? 'percentile_disc' : 'percentile_cont')
  return sql`${name}(${trusted(String(share))}) within group (order by ${value})`
}

/** Booleans have no least: false comes before true. */
function extreme(argumentOf: Sql, { value }: AggregateColumn, which: 'min' | 'max'): Sql {
  if (value?.type === 'boolean') {
    return sql`${trusted(which === 'min' ? 'bool_and' : 'bool_or')}(${argumentOf})`
  }
  const collation = value?.type === 'string' ? sql` collate "C"` : sql``
  return sql`${trusted(which)}(${argumentOf}${collation})`
}
