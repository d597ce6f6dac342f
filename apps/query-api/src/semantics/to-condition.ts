import type { FilterLeaf, FilterNode } from '../project/filter-shape.js'
import type { Condition } from './condition.js'
import { FilterProblem } from './filter-problem.js'
import type { Comparand } from './operators.js'
import type { Planning } from './plan-query.js'
import { TIME_RANGE } from './time-range.js'

/** What a comparison is about, and what it may be compared with. */
export interface Subject<S> {
  readonly subject: S
  readonly comparand: Comparand
}

/**
 * A filter tree as a condition; `undefined` after reporting what is wrong in it.
 * @param find what a comparison is about, after reporting why it is nothing
 */
export function toCondition<S>(
  node: FilterNode,
  path: string,
  planning: Pick<Planning, 'issues' | 'late'>,
  find: (leaf: FilterLeaf, path: string) => Subject<S> | undefined,
): Condition<S> | undefined {
  if ('and' in node || 'or' in node) {
    const [kind, nodes] = 'and' in node ? (['and', node.and] as const) : (['or', node.or] as const)
    const conditions = nodes.map((each, index) =>
      toCondition(each, `${path}.${kind}[${String(index)}]`, planning, find),
    )
    const found = conditions.filter((each) => each !== undefined)
    return found.length === conditions.length ? { kind, conditions: found } : undefined
  }
  if ('not' in node) {
    const condition = toCondition(node.not, `${path}.not`, planning, find)
    return condition && { kind: 'not', condition }
  }
  const found = find(node, path)
  if (!found) return undefined
  try {
    return {
      kind: 'test',
      subject: found.subject,
      test: planning.late.test(node, path, found.comparand),
    }
  } catch (error) {
    if (!(error instanceof FilterProblem)) throw error
    planning.issues.add(`${path}.${keyOf(path, error)}`, error.message, error.suggestion)
    return undefined
  }
}

/** A range has its ends where a filter has a list of two. */
function keyOf(path: string, { key, index = 0 }: FilterProblem): string {
  if (path === TIME_RANGE && key === 'last') return 'last'
  if (path !== TIME_RANGE || key !== 'value') return key
  return index === 1 ? 'end' : 'start'
}
