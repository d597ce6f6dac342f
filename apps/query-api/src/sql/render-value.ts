import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import { DATE_PARTS, type RowValue } from '../semantics/condition.js'
import type { Expression } from '../semantics/query-plan.js'
import type { Subjects } from './render-condition.js'

/** Which alias the rows of an expression's own cube have, and those of a join's other side. */
export interface Aliases {
  readonly own: string
  readonly other: string
}

/** How conditions on rows of a fact are written. */
export const ROWS: Subjects<RowValue> = {
  value: (value) => renderValue(value),
  holds: ({ alias, expression }) => renderExpression(expression, { own: alias, other: alias }),
  isEpoch: ({ type, isInUtc }) => type === 'time' && isInUtc === true,
}

/** Texts as `text`, so that whatever is behind them compares with what is asked; parts of times as whole numbers. */
export function renderValue(value: RowValue): Sql {
  if (value.datePart) {
    const part = trusted(DATE_PARTS[value.datePart])
    return sql`extract(${part} from ${parenthesized(value)}::timestamp)::int`
  }
  return value.type === 'string' ? sql`${parenthesized(value)}::text` : parenthesized(value)
}

export function parenthesized({ alias, expression }: RowValue): Sql {
  const rendered = renderExpression(expression, { own: alias, other: alias })
  return expression.parts.length === 1 && typeof expression.parts[0] === 'object'
    ? rendered
    : sql`(${rendered})`
}

export function pair([left, right]: readonly [RowValue, RowValue]): Sql {
  return sql`${renderValue(left)} = ${renderValue(right)}`
}

export function renderExpression({ parts }: Expression, aliases: Aliases): Sql {
  const pieces = parts.map((part) =>
    typeof part === 'string' ? trusted(part) : ident(aliases[part.of], part.column),
  )
  return joinSql(pieces, '')
}
