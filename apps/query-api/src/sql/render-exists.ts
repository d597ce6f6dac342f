import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { Partner } from '../semantics/condition.js'
import { pair, renderExpression } from './render-value.js'

/** Whether a row has partners for which a condition holds. However many there are, the row stays one. */
export function renderExists([first, ...others]: readonly Partner[], condition: Sql): Sql {
  if (!first) throw new Error('a condition on partners has one at least')
  const joins = others.map((each) => sql` join ${rowsOf(each)} on ${joined(each)}`)
  return sql`exists (select 1 from ${rowsOf(first)}${joinSql(joins, '')} where ${joined(first)} and ${condition})`
}

function rowsOf({ relation, alias }: Partner): Sql {
  return sql`${trusted(relation.text)} as ${ident(alias)}`
}

function joined({ on, own, other, equal }: Partner): Sql {
  const conditions = [renderExpression(on, { own, other }), ...equal.map(pair)]
  return joinSql(
    conditions.map((each) => sql`(${each})`),
    ' and ',
  )
}
