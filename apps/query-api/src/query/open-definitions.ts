import type { Principal } from '@olytix/auth-guards'
import type { Project } from '../project/project.js'
import { Visibility } from '../rls/visibility.js'
import { findMetric } from '../semantics/metric-inputs.js'

/**
 * Whether nothing that a cube or metric speaks of is hidden from a principal: every member of the cube by itself, all that
 * the metric is computed from; one that is gone is closed. Other definitions speak of tables, not of members.
 */
export function isOpenTo(
  project: Project,
  principal: Principal,
  { kind, name }: { readonly kind: string; readonly name: string },
): boolean {
  const visibility = new Visibility(project, principal)
  if (kind === 'cubes') {
    const cube = project.cubes[name]
    if (!cube) return false
    const members = [cube.dimensions, cube.measures, cube.segments].flatMap((all) =>
      Object.keys(all),
    )
    return members.every((member) => visibility.allows(cube, [member]))
  }
  if (kind !== 'metrics') return true
  const metric = findMetric(project, name, true)
  return metric !== undefined && visibility.metric(metric)
}
