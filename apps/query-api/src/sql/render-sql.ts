import { ident, joinSql, type Sql, sql, type Statement, trusted } from '@olytix/postgres'
import type { GuardedPlan } from '../rls/guard-plan.js'
import type { GroupSubject, GroupValue, OrderTerm } from '../semantics/query-plan.js'
import { renderCondition, type Subjects } from './render-condition.js'
import { renderFact } from './render-fact.js'

/**
 * The one statement that answers a plan: its columns are the dimensions, then the metrics, in the plan's order. Whatever
 * came with a request or a principal is a parameter; names and arithmetic come from definitions.
 */
export function renderSql(plan: GuardedPlan): Statement {
  const outer = new OuterQuery(plan)
  const having = plan.having && sql`\nwhere ${renderCondition(plan.having, outer.subjects)}`
  const order = plan.order.map((term) => outer.orderTerm(term))
  return sql`select ${joinSql(outer.columns(), ', ')}
from ${outer.from()}${having ?? sql``}${orderBy(order)}
limit ${String(plan.limit)}::bigint offset ${String(plan.offset)}::bigint`.toStatement()
}

function orderBy(terms: readonly Sql[]): Sql {
  return terms.length === 0 ? sql`` : sql`\norder by ${joinSql(terms, ', ')}`
}

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

  /** Facts meet where all dimensions are equal; as elements of arrays NULLs are equal too. */
  from(): Sql {
    return this.plan.facts.reduce(
      (before, fact, index) => {
        const own = sql`(\n${renderFact(fact)}\n) as ${this.alias(index)}`
        if (index === 0) return own
        if (this.plan.dimensions.length === 0) return sql`${before}\ncross join ${own}`
        const pairs = this.plan.dimensions.map((_, at) => {
          return sql`array[${this.key(at, index)}] = array[${this.column(index, at)}]`
        })
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

  /** A dimension's value, from whichever of the first `among` facts has the group. */
  private key(dimension: number, among = this.plan.facts.length): Sql {
    const columns = Array.from({ length: among }, (_, fact) => this.column(fact, dimension))
    const [only, ...others] = columns
    return only && others.length === 0 ? only : sql`coalesce(${joinSql(columns, ', ')})`
  }

  private value({ parts }: GroupValue): Sql {
    const pieces = parts.map((part) => {
      if (typeof part === 'string') return trusted(part)
      return sql`${this.alias(part.fact)}.${ident(`m${String(part.aggregate)}`)}`
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
