import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { Guard, GuardedFact } from '../rls/guard-plan.js'
import type { RowValue } from '../semantics/condition.js'
import type {
  AggregateColumn,
  Expression,
  GroupColumn,
  JoinNode,
  SourceNode,
} from '../semantics/query-plan.js'
import { bucket, renderCondition, type Subjects } from './render-condition.js'

/** Which alias the rows of an expression's own cube have, and those of a join's other side. */
interface Aliases {
  readonly own: string
  readonly other: string
}

const ROWS: Subjects<RowValue> = {
  value: (value) => renderValue(value),
  holds: ({ alias, expression }) => renderExpression(expression, { own: alias, other: alias }),
  isEpoch: ({ type, isInUtc }) => type === 'time' && isInUtc === true,
}

/** One fact as a SELECT: its sources each behind its guard, joined, filtered, grouped and aggregated. */
export function renderFact(fact: GuardedFact): Sql {
  const groups = fact.groups.map((group, index) => {
    return sql`${renderGroup(group)} as ${ident(`d${String(index)}`)}`
  })
  const aggregates = fact.aggregates.map((column) => {
    return sql`${renderAggregate(column)} as ${ident(column.alias)}`
  })
  const joins = fact.joins.map((join) => renderJoin(join, fact))
  const where = fact.where ? sql`\n  where ${renderCondition(fact.where, ROWS)}` : sql``
  const positions = groups.map((_, index) => trusted(String(index + 1)))
  const groupBy = groups.length > 0 ? sql`\n  group by ${joinSql(positions, ', ')}` : sql``
  return sql`  select ${joinSql([...groups, ...aggregates], ', ')}
  from ${renderSource(fact.base, fact)}${joinSql(joins, '')}${where}${groupBy}`
}

function renderJoin({ source, on, own, other }: JoinNode, fact: GuardedFact): Sql {
  const condition = renderExpression(on, { own, other })
  return sql`\n  left join ${renderSource(source, fact)} on ${condition}`
}

/** The rows of a cube that may be seen. `offset 0` keeps the planner from moving expressions below the predicate. */
function renderSource(source: SourceNode, fact: GuardedFact): Sql {
  const guard = fact.guards.get(source.alias)
  if (!guard) throw new Error(`the source ${source.alias} has no guard`)
  const relation = trusted(source.cube.relation.text)
  const alias = ident(source.alias)
  if (guard.predicate === 'unrestricted') return sql`${relation} as ${alias}`
  return sql`(select * from ${relation} as ${alias} where ${renderGuard(guard)}) as ${alias}`
}

function renderGuard({ predicate, isFenced }: Guard): Sql {
  if (predicate === 'unrestricted') return sql`true`
  const condition = renderCondition(predicate, ROWS)
  return isFenced ? sql`${condition} offset 0` : condition
}

function renderGroup({ value, granularity }: GroupColumn): Sql {
  return granularity ? bucket(parenthesized(value), granularity) : renderValue(value)
}

/** Texts as `text`, so that whatever is behind them compares with what is asked. */
function renderValue(value: RowValue): Sql {
  return value.type === 'string' ? sql`${parenthesized(value)}::text` : parenthesized(value)
}

function parenthesized({ alias, expression }: RowValue): Sql {
  const rendered = renderExpression(expression, { own: alias, other: alias })
  return expression.parts.length === 1 && typeof expression.parts[0] === 'object'
    ? rendered
    : sql`(${rendered})`
}

function renderExpression({ parts }: Expression, aliases: Aliases): Sql {
  const pieces = parts.map((part) =>
    typeof part === 'string' ? trusted(part) : ident(aliases[part.of], part.column),
  )
  return joinSql(pieces, '')
}

function renderAggregate(column: AggregateColumn): Sql {
  const aggregate = AGGREGATES[column.type](column)
  if (!column.filter) return aggregate
  return sql`${aggregate} filter (where ${renderCondition(column.filter, ROWS)})`
}

type Render = (column: AggregateColumn) => Sql

const AGGREGATES: Readonly<Record<AggregateColumn['type'], Render>> = {
  count: ({ value }) => (value ? sql`count(${argument(value)})` : sql`count(*)`),
  count_distinct: ({ value }) => sql`count(distinct ${argument(value)})`,
  sum: ({ value }) => sql`sum(${argument(value)})`,
  avg: ({ value }) => sql`avg(${argument(value)})`,
  min: ({ value }) => extreme(value, 'min'),
  max: ({ value }) => extreme(value, 'max'),
  median: percentile,
  percentile,
  sum_boolean: ({ value }) => sql`sum((${argument(value)})::int)`,
  least: ({ value }) => extreme(value, 'min'),
  greatest: ({ value }) => extreme(value, 'max'),
}

function percentile({ value, percentile: share = 0.5 }: AggregateColumn): Sql {
  const position = trusted(String(share))
  return sql`percentile_cont(${position}) within group (order by ${argument(value)})`
}

/** Booleans have no least: false comes before true. */
function extreme(value: RowValue | undefined, which: 'min' | 'max'): Sql {
  if (!value) throw new Error('an extreme is one of something')
  if (value.type === 'boolean') {
    return sql`${trusted(which === 'min' ? 'bool_and' : 'bool_or')}(${argument(value)})`
  }
  const collation = value.type === 'string' ? sql` collate "C"` : sql``
  return sql`${trusted(which)}(${renderValue(value)}${collation})`
}

function argument(value: RowValue | undefined): Sql {
  if (!value) throw new Error('only a count has no expression')
  return renderExpression(value.expression, { own: value.alias, other: value.alias })
}
