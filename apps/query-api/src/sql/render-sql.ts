import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { GuardedPlan } from '../rls/guard-plan.js'
import type { GroupSubject, GroupValue, OrderTerm } from '../semantics/query-plan.js'
import { renderCondition, type Subjects } from './render-condition.js'
import { renderFact } from './render-fact.js'
import { renderFilled } from './render-fill.js'
import { StatementTemplate } from './statement-template.js'

/**
 * The one statement that answers a plan: its columns are the dimensions, then the metrics, in the plan's order. Whatever
 * came with a request or a principal is a parameter; names and arithmetic come from definitions.
 */
export function renderSql(plan: GuardedPlan): StatementTemplate {
  return new StatementTemplate(renderSelect(plan).toStatement())
}

/** The same as a piece of another statement. */
export function renderSelect(plan: GuardedPlan): Sql {
  const outer = new OuterQuery(plan)
  const having = plan.having && sql`\nwhere ${renderCondition(plan.having, outer.subjects)}`
  const order = plan.order.map((term) => outer.orderTerm(term))
  return sql`${outer.head()}select ${joinSql(outer.columns(), ', ')}
from ${outer.from()}${having ?? sql``}${orderBy(order)}${limited(plan)}`
}

/** How many rows the answer has, whatever its limit and offset; but not more than policies allow. */
export function renderCount(plan: GuardedPlan): StatementTemplate {
  const all = renderSelect({ ...plan, order: [], limit: plan.rowLimit, offset: 0 })
  return new StatementTemplate(sql`select count(*) from (\n${all}\n) as "rows"`.toStatement())
}

function limited({ limit, offset }: GuardedPlan): Sql {
  if (!Number.isFinite(limit)) return sql``
  return sql`\nlimit ${String(limit)}::bigint offset ${String(offset)}::bigint`
}

function orderBy(terms: readonly Sql[]): Sql {
  return terms.length === 0 ? sql`` : sql`\norder by ${joinSql(terms, ', ')}`
}

const FILLED = sql`"filled"`

/** The query around the facts, where they meet. */
class OuterQuery {
  constructor(private readonly plan: GuardedPlan) {}

  readonly subjects: Subjects<GroupSubject> = {
    value: (subject) => this.subject(subject),
    holds: (subject) => this.subject(subject),
    isEpoch: () => false,
  }

  columns(): Sql[] {
    const dimensions = this.plan.dimensions.map((_, index) => this.key(index))
    const metrics = this.plan.metrics.map(({ value }) => this.value(value))
    return [...dimensions, ...metrics].map((column, index) => {
      return sql`${column} as ${ident(`c${String(index)}`)}`
    })
  }

  /** Where gaps are filled the facts are read twice, so they have names. */
  head(): Sql {
    const { fill, facts, dimensions } = this.plan
    if (!fill) return sql``
    const named = facts.map((fact, index) => {
      return sql`${this.alias(index)} as (\n${renderFact(fact)}\n)`
    })
    const keys = dimensions.map((_, index) => coalesced(this.columnsOf(index, facts.length)))
    const filled = sql`${FILLED} as (\n${renderFilled(fill, keys, this.met())}\n)`
    return sql`with ${joinSql([...named, filled], ',\n')}\n`
  }

  from(): Sql {
    if (!this.plan.fill) return this.met()
    const pairs = this.plan.dimensions.map((_, at) => {
      const keys = coalesced(this.columnsOf(at, this.plan.facts.length))
      return sql`array[${keys}] = array[${FILLED}.${ident(`d${String(at)}`)}]`
    })
    return sql`${this.met()}\nfull join ${FILLED} on ${joinSql(pairs, ' and ')}`
  }

  /** Facts meet where the dimensions that they share are equal; as elements of arrays NULLs are equal too. */
  private met(): Sql {
    return this.plan.facts.reduce(
      (before, fact, index) => {
        const own = this.plan.fill
          ? this.alias(index)
          : sql`(\n${renderFact(fact)}\n) as ${this.alias(index)}`
        if (index === 0) return own
        const pairs = this.plan.dimensions.flatMap((_, at) => {
          const keys = this.columnsOf(at, index)
          if (keys.length === 0 || !fact.groups[at]) return []
          return [sql`array[${coalesced(keys)}] = array[${this.column(index, at)}]`]
        })
        if (pairs.length === 0) return sql`${before}\ncross join ${own}`
        return sql`${before}\nfull join ${own} on ${joinSql(pairs, ' and ')}`
      },
      sql``,
    )
  }

  orderTerm({ by, isDescending }: OrderTerm): Sql {
    const isText = 'dimension' in by && this.plan.dimensions[by.dimension]?.type === 'string'
    const collation = isText ? sql` collate "C"` : sql``
    const direction = trusted(isDescending ? 'desc' : 'asc')
    return sql`${this.subject(by)}${collation} ${direction} nulls last`
  }

  private subject(subject: GroupSubject): Sql {
    return 'dimension' in subject ? this.key(subject.dimension) : this.value(subject.value)
  }

  /** A dimension's value, from whichever fact has the group. */
  private key(dimension: number): Sql {
    const columns = this.columnsOf(dimension, this.plan.facts.length)
    const filled = sql`${FILLED}.${ident(`d${String(dimension)}`)}`
    return coalesced(this.plan.fill ? [...columns, filled] : columns)
  }

  /** A dimension in each of the first `among` facts that have it. */
  private columnsOf(dimension: number, among: number): Sql[] {
    return this.plan.facts.slice(0, among).flatMap((fact, index) => {
      return fact.groups[dimension] ? [this.column(index, dimension)] : []
    })
  }

  private value({ parts }: GroupValue): Sql {
    const pieces = parts.map((part) => {
      if (typeof part === 'string') return trusted(part)
      const aggregate = sql`${this.alias(part.fact)}.${ident(`m${String(part.aggregate)}`)}`
      return part.isZeroWithoutRows ? sql`coalesce(${aggregate}, 0)` : aggregate
    })
    return pieces.length === 1 ? joinSql(pieces, '') : sql`(${joinSql(pieces, '')})`
  }

  private column(fact: number, dimension: number): Sql {
    return sql`${this.alias(fact)}.${ident(`d${String(dimension)}`)}`
  }

  private alias(fact: number): Sql {
    return ident(`f${String(fact)}`)
  }
}

function coalesced(columns: readonly Sql[]): Sql {
  const [only, ...others] = columns
  return only && others.length === 0 ? only : sql`coalesce(${joinSql(columns, ', ')})`
}
