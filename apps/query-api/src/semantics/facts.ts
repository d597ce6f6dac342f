import type { FilterNode } from '../project/filter-shape.js'
import type { DimensionName } from '../project/member-names.js'
import type { Project } from '../project/project.js'
import { quote } from '../project/shape.js'
import { type AskedDimension, resolveDimension } from './asked-dimensions.js'
import type { RowCondition, RowValue } from './condition.js'
import { FactBuilder } from './fact-builder.js'
import { toCondition } from './filters.js'
import { inputsOf, type MetricValue, type NamedMetric } from './metric-inputs.js'
import type { Planning } from './plan-query.js'
import type { FactPlan, GroupColumn, GroupValue, UsedMember } from './query-plan.js'

/** The facts of one question, one for each cube that a measure comes from. */
export class Facts {
  private readonly builders = new Map<string, FactBuilder>()

  constructor(
    private readonly planning: Planning,
    private readonly dimensions: readonly AskedDimension[],
  ) {}

  get isEmpty(): boolean {
    return this.builders.size === 0
  }

  get all(): readonly FactBuilder[] {
    return [...this.builders.values()]
  }

  addCubesOf({ value }: Pick<NamedMetric, 'value'>): void {
    for (const { measure } of inputsOf(value)) this.addBase(measure.cube)
  }

  addBase(name: string | undefined): void {
    const cube = this.planning.project.cubes[name ?? '']
    if (cube && !this.builders.has(cube.name)) {
      this.builders.set(cube.name, new FactBuilder(this.planning.project, cube))
    }
  }

  /** Puts a metric's measures into their facts. */
  groupValue({ parts }: MetricValue, path: string): GroupValue {
    return {
      parts: parts.map((part): GroupValue['parts'][number] => {
        if (typeof part === 'string') return part
        const { measure, filters } = part
        const key = JSON.stringify([measure.name, filters])
        const index = [...this.builders.keys()].indexOf(measure.cube)
        const builder = this.all[index]
        if (!builder) throw new Error(`the fact of ${measure.cube} is added beforehand`)
        const conditions = this.metricFilters(builder, filters, path)
        return { fact: index, aggregate: builder.aggregate(measure, key, conditions) }
      }),
    }
  }

  /** A dimension in one fact; `undefined` after reporting why it cannot be used there. */
  place(builder: FactBuilder, name: DimensionName | string, path: string): RowValue | undefined {
    const value = typeof name === 'string' ? { message: name } : builder.place(name)
    if ('alias' in value) return value
    const suggestion = 'suggestion' in value ? value.suggestion : undefined
    this.planning.issues.add(path, value.message, suggestion)
    return undefined
  }

  build(rowsOf: (builder: FactBuilder) => RowCondition | undefined): FactPlan[] {
    return this.all.map((builder) => {
      const groups = this.dimensions.flatMap(({ memberFor, path, planned }): GroupColumn[] => {
        const value = this.place(builder, memberFor(builder.cube), path)
        return value ? [{ value, granularity: planned.granularity }] : []
      })
      return builder.build(groups, rowsOf(builder))
    })
  }

  members({ cubes }: Project): UsedMember[] {
    const used = this.all.flatMap(({ members }) => members)
    const keyed = new Map(used.map((each) => [`${each.cube}.${each.member}`, each]))
    return [...keyed.values()].filter(({ cube }) => cubes[cube] !== undefined)
  }

  private metricFilters(
    builder: FactBuilder,
    filters: readonly FilterNode[],
    path: string,
  ): RowCondition[] {
    return filters.flatMap((filter) => {
      const condition = toCondition(filter, path, this.planning.issues, (leaf) => {
        const dimension = resolveDimension(this.planning, leaf.dimension ?? '', path)
        const subject = dimension && this.place(builder, dimension.memberFor(builder.cube), path)
        return subject && { subject, comparand: dimension.planned }
      })
      return condition ?? []
    })
  }
}

/**
 * The cube whose rows give the values of dimensions asked for without metrics: the one of them from which all others can
 * be reached.
 */
export function baseWithoutMetrics(
  planning: Planning,
  dimensions: readonly AskedDimension[],
): string | undefined {
  const starts = [...new Set(dimensions.flatMap(({ start }) => start ?? []))]
  const able = starts.filter((name) => {
    const cube = planning.project.cubes[name]
    return cube && dimensions.every((dimension) => canReach(planning.project, cube.name, dimension))
  })
  if (able[0] === undefined && starts.length > 1) {
    planning.issues.add(
      'dimensions',
      `no join connects ${starts.map(quote).join(', ')}; ask for a metric that belongs to all of them`,
    )
  }
  return able[0]
}

function canReach(project: Project, base: string, { memberFor }: AskedDimension): boolean {
  const cube = project.cubes[base]
  const name = cube && memberFor(cube)
  if (!cube || name === undefined || typeof name === 'string') return false
  return 'alias' in new FactBuilder(project, cube).place(name)
}
