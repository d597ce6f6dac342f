import { type FilterNode, filterLeaves } from '../project/filter-shape.js'
import { type AskedDimension, finest, type Place, resolveDimension } from './asked-dimensions.js'
import { allOf, type RowValue } from './condition.js'
import { columnOf, type FactBuilder } from './fact-builder.js'
import { groupDimension, type Located, type RowFilters } from './filters.js'
import type { Planning } from './plan-query.js'
import { toCondition } from './to-condition.js'
import type {
  CalendarJoin,
  FactPlan,
  GroupColumn,
  OnSpinePlan,
  PlannedDimension,
  SpineNode,
} from './query-plan.js'
import { type AxisGrains, isAxis, spineFor } from './timeline.js'

/** The periods of a time spine, as groups. */
export class PeriodsFact {
  private readonly calendars: CalendarJoin[] = []
  private readonly node: SpineNode

  private constructor(
    private readonly planning: Planning,
    spine: SpineNode['spine'],
  ) {
    this.node = { alias: 'periods', spine }
  }

  /** For `metric_time` without any metric. */
  static of(
    planning: Planning,
    dimensions: readonly AskedDimension[],
    filters: RowFilters,
  ): FactPlan | undefined {
    const grains = dimensions.flatMap(({ start, suffix }) => {
      return start === undefined ? [suffix.granularity ?? ('day' as const)] : []
    })
    if (grains.length === 0) return undefined
    const fact = PeriodsFact.at(planning, finest(grains))
    return fact?.build(
      dimensions.map((each) => each.start === undefined),
      dimensions,
      filters.located.filter(({ node }) => isOnAxis(node, undefined)),
    )
  }

  static at(planning: Planning, granularity: AxisGrains['asked'][number]): PeriodsFact | undefined {
    const spine = spineFor(planning.project.timeSpines, granularity)
    if (spine) return new PeriodsFact(planning, spine)
    const message = `a time spine of granularity ${granularity} or finer is needed; none is declared`
    planning.issues.add('dimensions', message)
    return undefined
  }

  build(
    isOwn: readonly boolean[],
    dimensions: readonly AskedDimension[],
    filters: readonly Located[],
  ): FactPlan {
    const groups = dimensions.map(({ suffix, planned }, index): GroupColumn | undefined => {
      if (isOwn[index] !== true) return undefined
      return { value: this.value(suffix), granularity: planned.granularity }
    })
    const conditions = filters.flatMap(({ node, path }) => {
      return (
        toCondition<RowValue>(node, path, this.planning, (leaf, at) => {
          const dimension = resolveDimension(this.planning, leaf.dimension ?? '', at)
          return (
            dimension && { subject: this.value(dimension.suffix), comparand: dimension.planned }
          )
        }) ?? []
      )
    })
    return {
      base: this.node,
      joins: [],
      isFullJoin: false,
      calendars: this.calendars,
      keyed: [],
      groups,
      aggregates: [],
      where: allOf<RowValue>(conditions),
    }
  }

  private value({ datePart, calendar }: AskedDimension['suffix']): RowValue {
    const { alias, spine } = this.node
    const time = columnOf(alias, spine.column, 'time')
    if (calendar === undefined) return datePart ? { ...time, type: 'number', datePart } : time
    const column = spine.calendar[calendar]
    if (column !== undefined) return columnOf(alias, column, 'time')
    const other = this.planning.project.timeSpines.find((s) => Object.hasOwn(s.calendar, calendar))
    if (!other) throw new Error(`calendar ${calendar} is known`)
    this.calendars.push({ alias: 'period_calendar', spine: other, time })
    return columnOf('period_calendar', other.calendar[calendar] ?? '', 'time')
  }
}

/** Whether a filter is about the time axis alone: of everybody, or of one place. */
export function isOnAxis(node: FilterNode, find: ((key: string) => boolean) | undefined): boolean {
  return filterLeaves([node]).every(({ dimension }) => {
    if (dimension === undefined) return false
    return (
      dimension === 'metric_time' ||
      dimension.startsWith('metric_time.') ||
      find?.(dimension) === true
    )
  })
}

interface OnSpine {
  readonly builder: FactBuilder
  readonly grains: AxisGrains
  /** Filters of the metric. */
  readonly own: readonly FilterNode[]
}

/** All periods that a fact's groups could have: whether it has rows in them or not. */
export function buildOnSpine(
  planning: Planning,
  dimensions: readonly AskedDimension[],
  filters: RowFilters,
  { builder, grains, own }: OnSpine,
): OnSpinePlan | undefined {
  const place: Place = builder
  const isAxisName = (key: string): boolean => {
    const found = resolveDimension(planning, key, 'filters')
    return found !== undefined && isAxis(place, found.memberFor(place))
  }
  const isOwn = dimensions.map((each) => isAxis(place, each.memberFor(place)))
  const located = [...filters.located, ...own.map((node) => ({ node, path: 'metrics' }))]
  const onAxis = located.filter(({ node }) => isOnAxis(node, isAxisName))
  const shown = dimensions.map((each) => ({ ...each, planned: shownOnSpine(each, [builder]) }))
  const periods = PeriodsFact.at(planning, finest(grains.needed))?.build(isOwn, shown, onAxis)
  if (!periods) return undefined
  const asked = new Set(dimensions.map(({ planned }) => planned.key))
  const onGroups = located.filter(({ node }) => {
    return filterLeaves([node]).every(({ dimension }) => asked.has(dimension ?? ''))
  })
  const where = onGroups.flatMap(({ node, path }) => {
    return (
      toCondition(node, path, planning, (leaf, at) =>
        groupDimension(planning, dimensions, leaf, at),
      ) ?? []
    )
  })
  const positions = isOwn.flatMap((own_, index) => (own_ ? [index] : []))
  return { periods, positions, where: allOf(where) }
}

/**
 * How a dimension is answered. A time as it is, which rows of a time spine have in one of these facts, is answered by the
 * finest of its granularities, so that it is the same in all facts.
 */
export function shownOnSpine(
  { planned, memberFor }: AskedDimension,
  onSpines: readonly FactBuilder[],
): PlannedDimension {
  if (planned.type !== 'time' || planned.granularity) return planned
  const [finestOwn] = onSpines.flatMap((builder) => {
    const name = memberFor(builder)
    if (typeof name === 'string' || name.calendar !== undefined || !isAxis(builder, name)) return []
    return name.dimension.granularities[0] ?? []
  })
  return finestOwn === undefined ? planned : { ...planned, granularity: finestOwn }
}
