import type { Principal } from '@olytix/auth-guards'
import { AppError, forbidden } from '@olytix/errors'
import { type FilterLeaf, filterLeaves } from '../project/filter-shape.js'
import { dimensionNames, findDimension } from '../project/member-names.js'
import type { Named } from '../project/named.js'
import type { Cube, Dimension, Measure, Project } from '../project/project.js'
import {
  findMetric,
  type InputConversion,
  inputsOf,
  type NamedMetric,
} from '../semantics/metric-inputs.js'
import type { UsedMember } from '../semantics/query-plan.js'
import type { QueryRequest, Vocabulary } from '../semantics/query-request.js'
import { policiesFor } from './access.js'
import { maskedProject } from './masks.js'
import { toPredicate } from './predicate.js'

/** What one principal may know of a project: a hidden member is as if it were not there. */
export class Visibility {
  private readonly decisions = new Map<string, boolean>()

  constructor(
    private readonly project: Project,
    private readonly principal: Principal,
  ) {}

  /** Whether a question may need these members of a cube together. */
  allows(cube: Cube, members: Iterable<string>): boolean {
    const needed = new Set(members)
    const key = JSON.stringify([cube.name, ...needed])
    const known = this.decisions.get(key)
    if (known !== undefined) return known
    const decision = this.decide(cube, needed)
    this.decisions.set(key, decision)
    return decision
  }

  cube(cube: Cube): boolean {
    return cube.isPublic && this.allows(cube, [])
  }

  member(cube: Cube, member: { readonly name: string; readonly isPublic: boolean }): boolean {
    if (!this.cube(cube) || !member.isPublic || !this.allows(cube, [member.name])) return false
    const isMeasure = cube.measures[member.name] !== undefined
    const metric = isMeasure && findMetric(this.project, `${cube.name}.${member.name}`, true)
    return metric ? this.metric(metric) : true
  }

  /** Whether a question may name it: a dimension by whatever path, a measure or metric. */
  name(name: string): boolean {
    const found = findDimension(this.project, name, false)
    if (typeof found !== 'string') {
      const cube = this.project.cubes[found.dimension.cube]
      return cube !== undefined && this.member(cube, found.dimension)
    }
    const metric = findMetric(this.project, name, false)
    return metric !== undefined && this.metric(metric)
  }

  /** A dimension as the principal sees it: masks may have another type. */
  behindMask(dimension: Dimension): Dimension {
    const { cubes } = maskedProject(this.project, this.principal).project
    return cubes[dimension.cube]?.dimensions[dimension.name] ?? dimension
  }

  /** A metric is visible if everything that it is computed from is. */
  metric(metric: NamedMetric): boolean {
    return this.allowsAll(membersOf(this.project, metric))
  }

  /** The names that may be suggested. */
  vocabulary(): Vocabulary {
    return {
      metrics: () => this.metricNames(),
      dimensions: () => this.dimensionNames(),
      segments: () =>
        this.visibleCubes().flatMap((cube) =>
          Object.keys(this.members(cube, cube.segments)).map((name) => `${cube.name}.${name}`),
        ),
    }
  }

  /** Metrics and measures, sorted as they are defined. */
  metricNames(): string[] {
    const measures = Object.values(this.project.cubes).flatMap((cube) =>
      Object.keys(cube.measures).map((name) => `${cube.name}.${name}`),
    )
    return [...Object.keys(this.project.metrics), ...measures].filter((name) => {
      const metric = findMetric(this.project, name, false)
      return metric !== undefined && this.metric(metric)
    })
  }

  /**
   * Decided before anything else about a question, so that no other answer tells of what is hidden.
   * @throws AppError FORBIDDEN when it names a member that is hidden from the principal
   */
  requireVisible(request: QueryRequest): void {
    const hidden = [...metricsNamed(request)].find((name) => {
      const metric = findMetric(this.project, name, false)
      return metric !== undefined && !this.metric(metric)
    })
    const hiddenMember = [...membersNamed(this.project, request)].find(
      (used) => !this.allowsAll([used]),
    )
    if (hidden === undefined && !hiddenMember) return
    const name = hidden ?? `${hiddenMember?.cube ?? ''}.${hiddenMember?.member ?? ''}`
    throw forbidden(`${name} is hidden from ${this.principal.id}`)
  }

  private dimensionNames(): string[] {
    const visible = this.visibleCubes().map((cube): [string, Cube] => {
      return [cube.name, { ...cube, dimensions: this.members(cube, cube.dimensions) }]
    })
    return dimensionNames(Object.fromEntries(visible))
  }

  private visibleCubes(): Cube[] {
    return Object.values(this.project.cubes).filter((cube) => this.cube(cube))
  }

  private allowsAll(members: readonly UsedMember[]): boolean {
    const cubes = new Set(members.map(({ cube }) => cube))
    return [...cubes].every((name) => {
      const cube = this.project.cubes[name]
      const own = members.flatMap(({ cube: of, member }) => (of === name ? [member] : []))
      return cube !== undefined && this.allows(cube, own)
    })
  }

  private members<T extends { readonly name: string; readonly isPublic: boolean }>(
    cube: Cube,
    members: Named<T>,
  ): Named<T> {
    const visible = Object.entries(members).filter(([, member]) => this.member(cube, member))
    return Object.fromEntries(visible)
  }

  private decide(cube: Cube, members: ReadonlySet<string>): boolean {
    try {
      for (const { filter } of policiesFor(this.project, this.principal, cube, members)) {
        if (!filter) continue
        const source = { alias: cube.name, cube }
        toPredicate(filter, { source, project: this.project, principal: this.principal })
      }
      return true
    } catch (error) {
      if (error instanceof AppError && error.code === 'FORBIDDEN') return false
      throw error
    }
  }
}

function membersOf(project: Project, metric: NamedMetric): UsedMember[] {
  return inputsOf(metric.value).flatMap(({ measure, filters, conversion }) => [
    { cube: measure.cube, member: measure.name },
    ...timesAndKeys(measure).map((member) => ({ cube: measure.cube, member })),
    ...(conversion ? conversionMembers(measure.cube, conversion) : []),
    ...filterLeaves(filters).flatMap((leaf) => leafMembers(project, leaf)),
  ])
}

/** Dimensions that choose which rows a measure is of. */
function timesAndKeys({ nonAdditive }: Measure): string[] {
  return nonAdditive ? [nonAdditive.time, ...nonAdditive.by] : []
}

function conversionMembers(cube: string, { base, pairs }: InputConversion): UsedMember[] {
  return [
    { cube: base.cube, member: base.name },
    ...pairs.flatMap((pair) => [
      { cube: base.cube, member: pair.base },
      { cube, member: pair.conversion },
    ]),
  ]
}

function leafMembers(project: Project, { dimension, metric, per = [] }: FilterLeaf): UsedMember[] {
  const names = [dimension ?? '', ...per.flatMap((key) => [key.dimension, key.matches])]
  const keyed = metric === undefined ? undefined : findMetric(project, metric, true)
  return [
    ...names.flatMap((name) => dimensionUsed(project, name)),
    ...(keyed ? membersOf(project, keyed) : []),
  ]
}

function dimensionUsed(project: Project, name: string): UsedMember[] {
  const found = findDimension(project, name, true)
  if (typeof found === 'string') return []
  return [{ cube: found.dimension.cube, member: found.dimension.name }]
}

function metricsNamed(request: QueryRequest): Set<string> {
  const filtered = filterLeaves(request.filters).flatMap(({ metric }) => metric ?? [])
  return new Set([...request.metrics, ...filtered, ...request.orderBy.map(({ field }) => field)])
}

/** Members that a question names outright; those that are not public do not exist for it. */
function membersNamed(project: Project, request: QueryRequest): UsedMember[] {
  const dimensions = [
    ...request.dimensions,
    ...filterLeaves(request.filters).flatMap(({ dimension = '', per = [] }) => [
      dimension,
      ...per.flatMap((key) => [key.dimension, key.matches]),
    ]),
    ...request.orderBy.map(({ field }) => field),
    ...(request.timeRange ? [request.timeRange.dimension] : []),
  ]
  const found = dimensions.flatMap((name) => dimensionNamed(project, name))
  const segments = request.segments.flatMap((name): UsedMember[] => {
    const [cubeName = '', member = ''] = name.split('.')
    const cube = project.cubes[cubeName]
    const isThere = cube?.isPublic === true && cube.segments[member]?.isPublic === true
    return isThere ? [{ cube: cubeName, member }] : []
  })
  return [...found, ...segments]
}

/** Also behind a granularity that the dimension does not have: saying so would tell that it is there. */
function dimensionNamed(project: Project, name: string): UsedMember[] {
  const withoutSuffix = name.slice(0, Math.max(0, name.lastIndexOf('.')))
  const found = [name, withoutSuffix]
    .map((each) => findDimension(project, each, false))
    .find((each) => typeof each !== 'string')
  if (found === undefined || typeof found === 'string') return []
  return [{ cube: found.dimension.cube, member: found.dimension.name }]
}
