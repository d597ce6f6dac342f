import { quote } from '@olytix/config/yaml'
import { findJoinPath } from '../project/join-path.js'
import type { DimensionName, Hop } from '../project/member-names.js'
import type { Cube, Expression, Measure, Project } from '../project/project.js'
import type { Place } from './asked-dimensions.js'
import { allOf, type RowCondition, type RowValue } from './condition.js'
import type {
  AggregateColumn,
  CalendarJoin,
  FactPlan,
  GroupColumn,
  JoinNode,
  KeyedMetric,
  QueryPlan,
  SpineNode,
  UsedMember,
} from './query-plan.js'

/** Why a dimension cannot be used in a fact. */
export interface Unreachable {
  readonly message: string
  readonly suggestion: string | undefined
}

/** The value of a column that we named ourselves. */
export function columnOf(alias: string, column: string, type: RowValue['type']): RowValue {
  return { alias, expression: { parts: [{ column, of: 'own' }], canRaise: false }, type }
}

/** Builds the sub-query for the measures of one cube: joins what is needed, once. */
export class FactBuilder implements Place {
  private readonly joins: JoinNode[] = []
  private readonly calendars: CalendarJoin[] = []
  private readonly keyedMetrics: KeyedMetric[] = []
  private readonly aliases = new Map<string, string>()
  private readonly names = new Set<string>()
  private readonly aggregates: AggregateColumn[] = []
  private readonly aggregateKeys = new Map<string, number>()
  /** Of each aggregate that a metric filters, the conditions; `undefined` when one has none. */
  private metricFilters: RowCondition[] | undefined = []
  /** A table with history of which no time says which rows are valid, so that it has several for one of the base. */
  undatedHistory: string | undefined
  readonly members: UsedMember[] = []

  constructor(
    private readonly project: Project,
    readonly cube: Cube,
    readonly time: string | undefined,
    /** Whose rows' own time is the fact's time axis; the base's if there is none. */
    readonly axis?: SpineNode,
  ) {
    this.aliases.set('', this.freeAlias(cube.name))
  }

  /** The value of a dimension in this fact's rows; joins the cube that has it. */
  place(name: DimensionName): RowValue | Unreachable {
    const value = this.isAxis(name) ? this.axisValue() : this.ownValue(name)
    if ('message' in value) return value
    if (name.calendar !== undefined) return this.calendarValue(value, name.calendar)
    return name.datePart ? { ...value, type: 'number', datePart: name.datePart } : value
  }

  /** Whether a dimension is the time that puts this fact on the time axis. */
  isAxis({ start, hops, dimension }: DimensionName): boolean {
    const isOwn = start === this.cube.name && hops.length === 0
    return isOwn && dimension.cube === this.cube.name && dimension.name === this.time
  }

  /** When a row happened: its own time, or the time of the spine's row that looks at it. */
  axisValue(): RowValue {
    this.members.push({ cube: this.cube.name, member: this.time ?? '' })
    return this.axis ? columnOf(this.axis.alias, this.axis.spine.column, 'time') : this.baseTime()
  }

  baseTime(): RowValue {
    return this.ownDimension(this.time ?? '')
  }

  /** A dimension of the base itself. */
  ownDimension(name: string): RowValue {
    const dimension = this.cube.dimensions[name]
    if (!dimension) throw new Error(`${this.cube.name}.${name} is checked beforehand`)
    this.members.push({ cube: this.cube.name, member: name })
    return { alias: this.base, expression: dimension.expression, type: dimension.type }
  }

  /** The alias of a cube that conditions are about (a segment's), if it can be reached. */
  placeCube(cube: string): string | Unreachable {
    const path = this.wayTo(cube, cube)
    return 'message' in path ? path : this.join(path)
  }

  /** A metric of the key that a row has. */
  keyed(plan: QueryPlan, keys: readonly RowValue[], type: RowValue['type']): RowValue {
    const alias = this.freeAlias('keyed')
    this.keyedMetrics.push({ alias, plan, keys })
    this.members.push(...plan.members)
    return columnOf(alias, `c${String(keys.length)}`, type)
  }

  /** Aggregates a measure; the same one with the same filter only once. */
  aggregate(measure: Measure, key: string, filters: readonly RowCondition[]): number {
    this.members.push({ cube: measure.cube, member: measure.name })
    const condition = allOf(filters)
    if (condition) this.metricFilters?.push(condition)
    else this.metricFilters = undefined
    return this.addAggregate(key, {
      ...aggregateOf(measure, this.base),
      isNullWithoutRows: condition !== undefined,
      filter: allOf([...holding(measure, this.base), ...filters]),
    })
  }

  /** Aggregates all rows of the fact. */
  aggregateAll(measure: Measure, alias: string): number {
    this.members.push({ cube: measure.cube, member: measure.name })
    this.metricFilters = undefined
    return this.addAggregate(measure.name, { ...aggregateOf(measure, alias), filter: undefined })
  }

  /** The least or greatest value of a dimension in each group, to order groups by. */
  extreme(value: RowValue, type: 'least' | 'greatest', key: string): number {
    return this.addAggregate(`${type} ${key}`, {
      type,
      percentile: undefined,
      isDiscrete: false,
      isNullWithoutRows: false,
      value,
      filter: undefined,
    })
  }

  /** Rows that no metric counts make no groups. */
  build(
    groups: readonly (GroupColumn | undefined)[],
    where: RowCondition | undefined,
    more: Partial<FactPlan> = {},
  ): FactPlan {
    const counted = this.metricFilters ?? []
    const any: RowCondition[] = counted.length > 0 ? [{ kind: 'or', conditions: counted }] : []
    return {
      base: { alias: this.base, cube: this.cube },
      joins: this.joins,
      isFullJoin: false,
      calendars: this.calendars,
      keyed: this.keyedMetrics,
      groups,
      aggregates: this.aggregates,
      where: allOf([...(where ? [where] : []), ...any]),
      ...more,
    }
  }

  get base(): string {
    return this.aliases.get('') ?? this.cube.name
  }

  /** PostgreSQL cuts names after 63 bytes. */
  freeAlias(name: string): string {
    const short = name.slice(0, 55)
    let alias = short
    for (let count = 2; this.names.has(alias); count++) alias = `${short}_${String(count)}`
    this.names.add(alias)
    return alias
  }

  private ownValue(name: DimensionName): RowValue | Unreachable {
    const path = this.pathTo(name)
    if ('message' in path) return path
    this.members.push({ cube: name.dimension.cube, member: name.dimension.name })
    const alias = this.join(path)
    return { alias, expression: name.dimension.expression, type: name.dimension.type }
  }

  private calendarValue(time: RowValue, calendar: string): RowValue {
    const spine = this.project.timeSpines.find((each) => Object.hasOwn(each.calendar, calendar))
    const column = spine?.calendar[calendar]
    if (!spine || column === undefined) throw new Error(`calendar ${calendar} is known`)
    const key = JSON.stringify([time.alias, time.expression.parts, spine.table])
    const known = this.aliases.get(key)
    const alias = known ?? this.freeAlias('calendar')
    if (known === undefined) {
      this.calendars.push({ alias, spine, time })
      this.aliases.set(key, alias)
    }
    return columnOf(alias, column, 'time')
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
    let alias = this.base
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
    const source = { alias, cube }
    const { on } = hop.join
    const equal = this.partitions(cube, alias)
    this.joins.push({ source, on, own, other, equal, validity: this.validity(hop, alias) })
    this.aliases.set(key, alias)
    return alias
  }

  /** Partitions of the same name in the base and in a cube that it is joined to, over however many joins. */
  private partitions(cube: Cube, alias: string): [RowValue, RowValue][] {
    return Object.values(cube.dimensions).flatMap((dimension): [RowValue, RowValue][] => {
      const { name, isPartition, expression, type } = dimension
      if (!isPartition || this.cube.dimensions[name]?.isPartition !== true) return []
      return [[this.ownDimension(name), { alias, expression, type }]]
    })
  }

  private validity({ join, isReversed }: Hop, alias: string): JoinNode['validity'] {
    if (!join.validity || isReversed) return undefined
    if (this.time === undefined) {
      this.undatedHistory = join.cube
      return undefined
    }
    const at = (expression: Expression): RowValue => ({ alias, expression, type: 'time' })
    const { from, to } = join.validity
    return { from: at(from), to: at(to), time: this.baseTime() }
  }
}

/** The filters that a measure has itself. */
export function holding(measure: Measure, alias: string): RowCondition[] {
  return measure.filters.map((expression): RowCondition => {
    return { kind: 'holds', subject: { alias, expression, type: 'boolean' } }
  })
}

function aggregateOf(measure: Measure, alias: string): Omit<AggregateColumn, 'alias'> {
  const { type, percentile, isDiscrete, expression, valueType } = measure
  if (type === 'number') throw new Error('measures of type number are taken apart beforehand')
  const value = expression && { alias, expression, type: valueType }
  return { type, percentile, isDiscrete, value, isNullWithoutRows: false, filter: undefined }
}
