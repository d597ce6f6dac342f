import { forbidden } from '@olytix/errors'
import type { PolicySubject } from '../project/policy-language.js'
import type { Cube, Project } from '../project/project.js'
import type { Partner, RowValue } from '../semantics/condition.js'
import type { SourceNode } from '../semantics/query-plan.js'

/** The rows that a policy looks at beside those of its own cube: one partner for each join on the way. */
export function partnersOf(
  { through }: PolicySubject,
  { source, project }: { readonly source: SourceNode; readonly project: Pick<Project, 'cubes'> },
): Partner[] {
  return through.map((hop, index): Partner => {
    const cube = project.cubes[hop.to]
    if (!cube) throw forbidden(`a policy names ${hop.to}, which is gone`)
    const alias = aliasOf(index)
    const from = index === 0 ? source.alias : aliasOf(index - 1)
    const [own, other] = hop.isReversed ? [alias, from] : [from, alias]
    const equal = partitions(source, { alias, cube })
    return { alias, relation: cube.relation, on: hop.join.on, own, other, equal }
  })
}

/** No source of a question has such a name, since no cube has a dot in its own. */
function aliasOf(index: number): string {
  return `partner.${String(index)}`
}

/** As where a question joins them. */
function partitions(base: SourceNode, joined: SourceNode): (readonly [RowValue, RowValue])[] {
  return Object.values(joined.cube.dimensions).flatMap(({ name, isPartition }) => {
    const isShared = isPartition && base.cube.dimensions[name]?.isPartition === true
    const values = [base, joined].flatMap((each) => valueOf(each, name) ?? [])
    const [left, right] = values
    return isShared && left && right ? [[left, right] as const] : []
  })
}

function valueOf(
  { alias, cube }: { alias: string; cube: Cube },
  name: string,
): RowValue | undefined {
  const dimension = cube.dimensions[name]
  return dimension && { alias, expression: dimension.expression, type: dimension.type }
}
