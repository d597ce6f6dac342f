import { quote } from '@olytix/config/yaml'
import type { Cube, Project } from '../project/project.js'
import type { AskedDimension } from './asked-dimensions.js'
import { allOf } from './condition.js'
import { FactBuilder } from './fact-builder.js'
import type { Planning } from './plan-query.js'
import type { FactPlan } from './query-plan.js'

/** Values of dimensions with every period: before others join, so that what has no partner has no period either. */
export function withPeriods(values: FactPlan, periods: FactPlan): FactPlan {
  if ('cube' in periods.base) return values
  return {
    ...values,
    periods: periods.base,
    calendars: [...values.calendars, ...periods.calendars],
    groups: values.groups.map((group, index) => group ?? periods.groups[index]),
    where: allOf([values.where, periods.where].filter((each) => each !== undefined)),
  }
}

/**
 * The cube whose rows give the values of dimensions asked for without metrics: the one of them from which all others can
 * be reached.
 */
export function baseWithoutMetrics(
  planning: Planning,
  dimensions: readonly AskedDimension[],
  filtered: readonly AskedDimension[],
): string | undefined {
  const all = [...dimensions, ...filtered].filter(({ start }) => start !== undefined)
  const starts = [...new Set(all.flatMap(({ start }) => start ?? []))]
  const able = starts.filter((name) => {
    const cube = planning.project.cubes[name]
    return cube && all.every((dimension) => canReach(planning.project, cube, dimension))
  })
  if (able[0] === undefined && starts.length > 1) {
    planning.issues.add(
      'dimensions',
      `no join connects ${starts.map(quote).join(', ')}; ask for a metric that belongs to all of them`,
    )
  }
  return able[0]
}

function canReach(project: Project, cube: Cube, { memberFor }: AskedDimension): boolean {
  const builder = new FactBuilder(project, cube, cube.primaryTime)
  const name = memberFor(builder)
  return typeof name !== 'string' && 'alias' in builder.place(name)
}
