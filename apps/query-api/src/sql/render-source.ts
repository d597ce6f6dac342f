import { ident, joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import type { Guard, GuardedFact } from '../rls/guard-plan.js'
import type { SourceNode } from '../semantics/query-plan.js'
import { renderCondition } from './render-condition.js'
import { renderMask } from './render-mask.js'
import { ROWS } from './render-value.js'

/**
 * The rows of a cube that may be seen, with the columns of its masks. All of it happens in a sub-query of its own, before
 * any join.
 */
export function renderSource(source: SourceNode, fact: GuardedFact): Sql {
  const guard = fact.guards.get(source.alias)
  if (!guard) throw new Error(`the source ${source.alias} has no guard`)
  const { predicate, masks } = guard
  const relation = trusted(source.cube.relation.text)
  const alias = ident(source.alias)
  if (predicate === 'unrestricted' && masks.length === 0) return sql`${relation} as ${alias}`
  const own = masks.length > 0 ? sql`${alias}.*` : sql`*`
  const columns = [own, ...masks.map((mask) => renderMask(mask, source.alias))]
  return sql`(select ${joinSql(columns, ', ')} from ${relation} as ${alias}${renderGuard(guard)}) as ${alias}`
}

/** `offset 0` keeps the planner from moving expressions below the predicate. */
function renderGuard({ predicate, isFenced }: Guard): Sql {
  if (predicate === 'unrestricted') return sql``
  const fence = isFenced ? sql` offset 0` : sql``
  return sql` where ${renderCondition(predicate, ROWS)}${fence}`
}
