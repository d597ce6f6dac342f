import type { DimensionName } from '../project/member-names.js'
import type { Project, TimeSpine } from '../project/project.js'
import { type AskedDimension, type Place, placeOf, resolveDimension } from './asked-dimensions.js'
import { allOf, type RowValue } from './condition.js'
import { FactBuilder, holding } from './fact-builder.js'
import { buildOnSpine, PeriodsFact, shownOnSpine } from './on-spine.js'
import { metricConditions, type RowFilters } from './filters.js'
import {
  anchorOf,
  inputsOf,
  isSpecial,
  type MetricInput,
  type MetricValue,
  type NamedMetric,
} from './metric-inputs.js'
import type { Planning } from './plan-query.js'
import { rangeOf } from './time-range.js'
import { toCondition } from './to-condition.js'
import type {
  ConversionPlan,
  EdgePlan,
  FactPlan,
  GroupColumn,
  GroupValue,
  PlannedDimension,
  SpineNode,
  TimelinePlan,
  UsedMember,
} from './query-plan.js'
import { withPeriods } from './values-fact.js'
import { type AxisGrains, axisGrains, isAxis, timelinePlan, timelineSpine } from './timeline.js'

/** A fact being built, and the input that it is made for alone, if it is. */
interface Fact {
  readonly builder: FactBuilder
  readonly input: MetricInput | undefined
  readonly grains: AxisGrains | undefined
  readonly axis: SpineNode | undefined
  readonly conversionAlias: string
}

/** Measures of which nothing is 0. */
const ADDED: ReadonlySet<string> = new Set(['count', 'count_distinct', 'sum', 'sum_boolean'])

/** The facts of one question: one for each cube and time that measures come from, and one for each special input. */
export class Facts {
  private readonly facts = new Map<string, Fact>()
  private hasMetrics = false

  constructor(
    private readonly planning: Planning,
    private readonly dimensions: readonly AskedDimension[],
  ) {}

  /** Whether the question is about values of dimensions alone: it names no metric, not even to filter or order by. */
  get isOfValues(): boolean {
    return !this.hasMetrics && this.planning.request.metrics.length === 0
  }

  get all(): readonly FactBuilder[] {
    return [...this.facts.values()].map(({ builder }) => builder)
  }

  addFactsOf({ value, key }: Pick<NamedMetric, 'value' | 'key'>): void {
    this.hasMetrics = true
    for (const input of inputsOf(value)) this.addInput(input, key)
  }

  /** What accumulates counts a row in several groups. */
  checkTotals(): void {
    for (const { axis, input } of this.facts.values()) {
      if (!axis || !input?.accumulation) continue
      const name = `${input.measure.cube}.${input.measure.name}`
      const message = `${name} is accumulated over time: a row is in several groups, so there is no total`
      this.planning.issues.add('totals', message)
    }
  }

  addBase(name: string | undefined): void {
    const cube = this.planning.project.cubes[name ?? '']
    if (cube) this.addFact(`${cube.name}|`, { cube, time: undefined })
  }

  /** Puts a metric's measures into their facts. */
  groupValue({ parts }: MetricValue): GroupValue {
    return {
      parts: parts.map((part): GroupValue['parts'][number] => {
        if (typeof part === 'string') return part
        const input = this.normalized(part)
        const key = this.keyOf(input)
        const index = [...this.facts.keys()].indexOf(key)
        const fact = this.facts.get(key)
        if (!fact) return 'null'
        const ref = { fact: index, aggregate: this.aggregate(fact, input) }
        return this.isZeroWithoutRows(part) ? { ...ref, isZeroWithoutRows: true } : ref
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

  /** The facts, with the conditions on their rows; to those of dimensions alone come the periods of a time axis. */
  build(filters: RowFilters): FactPlan[] {
    const facts = [...this.facts.values()].map((fact) => this.buildFact(fact, filters))
    if (!this.isOfValues) return facts
    const periods = PeriodsFact.of(this.planning, this.dimensions, filters)
    return periods ? [facts[0] ? withPeriods(facts[0], periods) : periods] : facts
  }

  /** How a dimension is answered. */
  shown(dimension: AskedDimension): PlannedDimension {
    const onSpines = [...this.facts.values()].filter(({ axis, input }) => axis ?? input?.isOnSpine)
    return shownOnSpine(
      dimension,
      onSpines.map(({ builder }) => builder),
    )
  }

  members({ cubes }: Project): UsedMember[] {
    const used = this.all.flatMap(({ members }) => members)
    const keyed = new Map(used.map((each) => [`${each.cube}.${each.member}`, each]))
    return [...keyed.values()].filter(({ cube }) => cubes[cube] !== undefined)
  }

  /** Where gaps are filled; a metric that says itself what stands for null is left to it. */
  private isZeroWithoutRows({ measure, hasFill }: MetricInput): boolean {
    return this.planning.request.fill === true && hasFill !== true && ADDED.has(measure.type)
  }

  private addInput(given: MetricInput, metric: string): void {
    const { project, issues } = this.planning
    const input = this.normalized(given)
    const place = placeOf(project.cubes, anchorOf(input))
    if (!place) return
    const isTimed = input.shifts.length > 0 || input.accumulation !== undefined
    const spine = isTimed ? this.spineOf(input, place) : undefined
    if (typeof spine === 'string') issues.add('metrics', `${metric} ${spine}`)
    else this.addFact(this.keyOf(input), place, isSpecial(input) ? input : undefined, spine)
  }

  /** The time spine that a timed input needs, or why it cannot be answered. */
  private spineOf(input: MetricInput, place: Place): TimeSpine | string {
    const { timeSpines } = this.planning.project
    const grains = axisGrains(place, this.dimensions, timeSpines)
    if (grains && place.time !== undefined) return timelineSpine(input, place, grains, timeSpines)
    return `needs a time among the dimensions: metric_time or ${place.cube.name}.${place.time ?? ''}`
  }

  private addFact(key: string, place: Place, input?: MetricInput, spine?: TimeSpine): void {
    if (this.facts.has(key)) return
    const { project } = this.planning
    const axis = spine && { alias: 'spine', spine }
    const builder = new FactBuilder(project, place.cube, place.time, axis)
    if (axis) builder.freeAlias(axis.alias)
    const grains = axisGrains(place, this.dimensions, project.timeSpines)
    const conversionAlias = input?.conversion ? builder.freeAlias('converted') : ''
    this.facts.set(key, { builder, input, grains, axis, conversionAlias })
  }

  /** What does not depend on time when no time is asked for. */
  private normalized(input: MetricInput): MetricInput {
    const place = placeOf(this.planning.project.cubes, anchorOf(input))
    const { accumulation, shifts } = input
    const isTimed = place && axisGrains(place, this.dimensions, this.planning.project.timeSpines)
    if (isTimed) return input
    const isAllTime = accumulation && !accumulation.window && !accumulation.grainToDate
    return {
      ...input,
      isOnSpine: false,
      accumulation: isAllTime && shifts.length === 0 ? undefined : accumulation,
    }
  }

  private keyOf(input: MetricInput): string {
    const { measure, conversion, hasFill: _, ...rest } = input
    const { cube, time, primaryTime } = this.anchor(input)
    const plain = `${cube}|${time ?? primaryTime ?? ''}`
    if (!isSpecial(input)) return time === undefined || time === primaryTime ? `${cube}|` : plain
    return JSON.stringify([plain, measure.cube, measure.name, conversion, rest])
  }

  private anchor(input: MetricInput): {
    cube: string
    time: string | undefined
    primaryTime: string | undefined
  } {
    const { cube, time } = anchorOf(input)
    return { cube, time, primaryTime: this.planning.project.cubes[cube]?.primaryTime }
  }

  private aggregate({ builder, input, conversionAlias }: Fact, asked: MetricInput): number {
    const { measure, filters } = asked
    if (input) return builder.aggregateAll(measure, conversionAlias || builder.base)
    const key = JSON.stringify([measure.name, filters])
    return builder.aggregate(measure, key, metricConditions(this.planning, this, builder, filters))
  }

  private buildFact(fact: Fact, filters: RowFilters): FactPlan {
    const { builder, input } = fact
    const groups = this.dimensions.map((dimension): GroupColumn | undefined => {
      if (this.isOfValues && dimension.start === undefined) return undefined
      const value = this.place(builder, dimension.memberFor(builder), dimension.path)
      return value && { value, granularity: this.shown(dimension).granularity }
    })
    const conditions = filters.rowsOf(builder, input?.filters ?? [])
    const own = input ? holding(input.measure, fact.conversionAlias || builder.base) : []
    const more = input ? this.special(fact, input, filters) : { isFullJoin: this.isOfValues }
    return builder.build(groups, allOf([...conditions, ...own]), more)
  }

  private special(fact: Fact, input: MetricInput, filters: RowFilters): Partial<FactPlan> {
    const { builder, grains, axis } = fact
    const { measure, conversion, isOnSpine } = input
    return {
      timeline: axis && grains && this.timeline(input, builder, axis, grains),
      edge: measure.nonAdditive && this.edge(fact, measure.nonAdditive),
      conversion: conversion && this.conversion(fact, input, conversion),
      onSpine:
        isOnSpine && grains
          ? buildOnSpine(this.planning, this.dimensions, filters, {
              builder,
              grains,
              own: input.filters,
            })
          : undefined,
    }
  }

  /** A range bounds the moments at which an accumulation is known, also those that an offset looks at. */
  private timeline(
    input: MetricInput,
    builder: FactBuilder,
    axis: SpineNode,
    grains: AxisGrains,
  ): TimelinePlan {
    const plan = timelinePlan(input, builder, axis, grains)
    const range =
      input.accumulation && input.shifts.length > 0 ? rangeOf(this.planning.request) : undefined
    const dimension = range && resolveDimension(this.planning, range.node.dimension, range.path)
    if (!range || !dimension || !isAxis(builder, dimension.memberFor(builder))) return plan
    const find = () => ({ subject: 'moment' as const, comparand: dimension.planned })
    return { ...plan, within: toCondition(range.node, range.path, this.planning, find) }
  }

  private edge(
    { builder }: Fact,
    rule: NonNullable<MetricInput['measure']['nonAdditive']>,
  ): EdgePlan {
    const timed = { cube: builder.cube, time: rule.time }
    const groups = this.dimensions.flatMap((dimension, index) => {
      return isAxis(timed, dimension.memberFor(builder)) ? [index] : []
    })
    const by = rule.by.map((name) => builder.ownDimension(name))
    return { time: builder.ownDimension(rule.time), choice: rule.choice, by, groups }
  }

  private conversion(
    { builder, conversionAlias }: Fact,
    { measure }: MetricInput,
    { pairs, window }: NonNullable<MetricInput['conversion']>,
  ): ConversionPlan | undefined {
    const { issues, project } = this.planning
    const place = placeOf(project.cubes, measure)
    const time = place?.cube.dimensions[place.time ?? '']
    if (!place || !time || builder.time === undefined) {
      issues.add('metrics', 'a conversion needs a primary time on both sides')
      return undefined
    }
    const other = (name: string): RowValue => {
      builder.members.push({ cube: place.cube.name, member: name })
      const dimension = place.cube.dimensions[name]
      if (!dimension) throw new Error(`${name} is checked when the project is built`)
      return { alias: conversionAlias, expression: dimension.expression, type: dimension.type }
    }
    return {
      source: { alias: conversionAlias, cube: place.cube },
      equal: pairs.map(({ base, conversion }) => [builder.ownDimension(base), other(conversion)]),
      baseTime: builder.baseTime(),
      time: other(time.name),
      window,
    }
  }
}
