import type { DimensionName, Hop } from '../project/member-names.js'
import { quote } from '../project/shape.js'
import type { Cube, Measure, Project } from '../project/project.js'
import type { RowCondition, RowValue } from './condition.js'
import { findJoinPath } from './join-path.js'
import type { AggregateColumn, FactPlan, GroupColumn, JoinNode, UsedMember } from './query-plan.js'

/** Why a dimension cannot be used in a fact. */
export interface Unreachable {
  readonly message: string
  readonly suggestion: string | undefined
}

/** Builds the sub-query for the measures of one cube: joins what is needed, once. */
export class FactBuilder {
  private readonly joins: JoinNode[] = []
  private readonly aliases = new Map<string, string>()
  private readonly aggregates: AggregateColumn[] = []
  private readonly aggregateKeys = new Map<string, number>()
  readonly members: UsedMember[] = []

  constructor(
    private readonly project: Project,
    readonly cube: Cube,
  ) {
    this.aliases.set('', cube.name)
  }

  /** The value of a dimension in this fact's rows; joins the cube that has it. */
  place(name: DimensionName): RowValue | Unreachable {
    const path = this.pathTo(name)
    if ('message' in path) return path
    this.members.push({ cube: name.dimension.cube, member: name.dimension.name })
    const alias = this.join(path)
    return { alias, expression: name.dimension.expression, type: name.dimension.type }
  }

  /** The alias of a cube that conditions are about (a segment's), if it can be reached. */
  placeCube(cube: string): string | Unreachable {
    const path = this.wayTo(cube, cube)
    return 'message' in path ? path : this.join(path)
  }

  /** Aggregates a measure; the same one with the same filter only once. */
  aggregate(measure: Measure, key: string, filters: readonly RowCondition[]): number {
    this.members.push({ cube: measure.cube, member: measure.name })
    const { type, percentile } = measure
    if (type === 'number') throw new Error('measures of type number are taken apart beforehand')
    const own = measure.filters.map((expression): RowCondition => {
      return { kind: 'holds', subject: this.own(expression, 'boolean') }
    })
    const conditions = [...own, ...filters]
    return this.addAggregate(key, {
      type,
      percentile,
      value: measure.expression && this.own(measure.expression, measure.valueType),
      filter: conditions.length > 0 ? { kind: 'and', conditions } : undefined,
    })
  }

  /** The least or greatest value of a dimension in each group, to order groups by. */
  extreme(value: RowValue, type: 'least' | 'greatest', key: string): number {
    return this.addAggregate(`${type} ${key}`, {
      type,
      percentile: undefined,
      value,
      filter: undefined,
    })
  }

  build(groups: readonly GroupColumn[], where: RowCondition | undefined): FactPlan {
    return {
      base: { alias: this.cube.name, cube: this.cube },
      joins: this.joins,
      groups,
      aggregates: this.aggregates,
      where,
    }
  }

  private own(expression: RowValue['expression'], type: RowValue['type']): RowValue {
    return { alias: this.cube.name, expression, type }
  }

  private addAggregate(key: string, column: Omit<AggregateColumn, 'alias'>): number {
    const known = this.aggregateKeys.get(key)
    if (known !== undefined) return known
    const index = this.aggregates.length
    this.aggregates.push({ ...column, alias: `m${String(index)}` })
    this.aggregateKeys.set(key, index)
    return index
  }

  private pathTo({ key, start, hops }: DimensionName): readonly Hop[] | Unreachable {
    const first = this.wayTo(start, key)
    return 'message' in first ? first : [...first, ...hops]
  }

  private wayTo(cube: string, asked: string): readonly Hop[] | Unreachable {
    const path = findJoinPath(this.project.cubes, this.cube.name, cube)
    if (!('candidates' in path)) return path
    const [first] = path.candidates
    if (first === undefined) {
      return {
        message: `${quote(asked)} cannot be reached from ${this.cube.name}: no join leads there without counting rows twice`,
        suggestion: undefined,
      }
    }
    return {
      message: `${quote(asked)} can be reached from ${this.cube.name} in several ways: ${path.candidates.join(', ')}; spell out one`,
      suggestion: asked.replace(cube, first),
    }
  }

  private join(path: readonly Hop[]): string {
    let key = ''
    let alias = this.cube.name
    for (const hop of path) {
      key = `${key}/${hop.name}`
      alias = this.aliases.get(key) ?? this.addJoin(key, hop, alias)
    }
    return alias
  }

  private addJoin(key: string, hop: Hop, from: string): string {
    const cube = this.project.cubes[hop.to]
    if (!cube) throw new Error(`joins lead to known cubes, not to ${hop.to}`)
    const alias = this.freeAlias(hop.name)
    const [own, other] = hop.isReversed ? [alias, from] : [from, alias]
    this.joins.push({ source: { alias, cube }, on: hop.join.on, own, other })
    this.aliases.set(key, alias)
    return alias
  }

  /** PostgreSQL cuts names after 63 bytes. */
  private freeAlias(name: string): string {
    const taken = new Set(this.aliases.values())
    const short = name.slice(0, 55)
    if (!taken.has(short)) return short
    let count = 2
    while (taken.has(`${short}_${String(count)}`)) count++
    return `${short}_${String(count)}`
  }
}
