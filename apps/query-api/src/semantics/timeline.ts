import {
  GRANULARITIES,
  type Granularity,
  type Interval,
  type Shift,
  type TimeSpine,
} from '../project/project.js'
import type { DimensionName } from '../project/member-names.js'
import type { AskedDimension, Place } from './asked-dimensions.js'
import { finest, storedGrain } from './asked-dimensions.js'
import type { FactBuilder } from './fact-builder.js'
import type { MetricInput } from './metric-inputs.js'
import type { SpineNode, Step, TimelinePlan } from './query-plan.js'

/** What an answer asks of one fact's time axis. */
export interface AxisGrains {
  /** Granularities that are asked for; of times as they are, those that they are stored at. */
  readonly asked: readonly Granularity[]
  /** With the grains that parts and calendars are made of. */
  readonly needed: readonly Granularity[]
}

/** Which of the asked dimensions are a place's own time axis; `undefined` when none is. */
export function axisGrains(
  place: Place,
  dimensions: readonly AskedDimension[],
  timeSpines: readonly TimeSpine[],
): AxisGrains | undefined {
  const own = dimensions.filter((each) => isAxis(place, each.memberFor(place)))
  if (own.length === 0) return undefined
  const stored = place.cube.dimensions[place.time ?? '']?.granularities[0] ?? 'day'
  const asked = own.flatMap(({ suffix }): Granularity[] => {
    if (suffix.datePart || suffix.calendar !== undefined) return []
    return [suffix.granularity ?? stored]
  })
  const parts = own.flatMap(({ suffix }): Granularity[] => {
    if (suffix.datePart) return [partGrain(suffix.datePart)]
    const spine = timeSpines.find(({ calendar }) => Object.hasOwn(calendar, suffix.calendar ?? ''))
    return spine && suffix.calendar !== undefined ? [spine.granularity] : []
  })
  return { asked, needed: [...asked, ...parts] }
}

function partGrain(part: string): Granularity {
  return part === 'hour' || part === 'minute' || part === 'second' ? part : 'day'
}

export function isAxis({ cube, time }: Place, name: DimensionName | string): boolean {
  if (typeof name === 'string') return false
  const isOwn = name.start === cube.name && name.hops.length === 0
  return isOwn && name.dimension.cube === cube.name && name.dimension.name === time
}

/** The coarsest time spine that is no coarser than a granularity. */
export function spineFor(
  timeSpines: readonly TimeSpine[],
  granularity: Granularity,
): TimeSpine | undefined {
  const limit = GRANULARITIES.indexOf(granularity)
  return timeSpines.filter((each) => GRANULARITIES.indexOf(each.granularity) <= limit).at(-1)
}

/** The time spine whose rows look at the base's rows for an input, or why there is none. */
export function timelineSpine(
  input: MetricInput,
  place: Place,
  grains: AxisGrains,
  timeSpines: readonly TimeSpine[],
): TimeSpine | string {
  const base = input.accumulation ? [storedGrain(place)] : []
  const granularity = finest([...grains.needed, ...base, ...shiftUnits(input.shifts)])
  const spine = spineFor(timeSpines, granularity)
  if (!spine) return `needs a time spine of granularity ${granularity} or finer; none is declared`
  return unfit(input, grains, spine) ?? spine
}

/** What cannot be answered rightly is refused. */
function unfit(input: MetricInput, { asked }: AxisGrains, spine: TimeSpine): string | undefined {
  const { shifts, accumulation, conversion, measure } = input
  if (conversion ?? measure.nonAdditive) {
    return 'offsets and accumulations of conversions and of measures that are not added over time are not supported'
  }
  const isAlone = shifts.length === 1 && !accumulation
  if (shifts.includes('prior') && (!isAlone || asked.length === 0)) {
    return 'prior needs a granularity and no further offset'
  }
  const calendar = shifts.flatMap((shift) =>
    shift !== 'prior' && 'back' in shift && !isGranularity(shift.back.unit) ? shift.back.unit : [],
  )[0]
  return calendar === undefined ? undefined : unfitCalendar(calendar, isAlone, spine)
}

/** Rows of the spine must be no longer than the steps from them. */
function shiftUnits(shifts: readonly Shift[]): Granularity[] {
  return shifts.flatMap((shift): Granularity[] => {
    if (shift === 'prior') return []
    if ('toGrain' in shift) return [shift.toGrain]
    return isGranularity(shift.back.unit) ? [shift.back.unit] : []
  })
}

function unfitCalendar(calendar: string, isAlone: boolean, spine: TimeSpine): string | undefined {
  if (!isAlone) return `an offset of ${calendar} stands alone`
  return Object.hasOwn(spine.calendar, calendar) ? undefined : `${calendar} is no granularity here`
}

export function isGranularity(unit: string): unit is Granularity {
  return GRANULARITIES.some((each) => each === unit)
}

/** How the rows of a time spine look at the rows of the base. */
export function timelinePlan(
  input: MetricInput,
  builder: FactBuilder,
  axis: SpineNode,
  grains: AxisGrains,
): TimelinePlan {
  const { shifts, accumulation } = input
  const spine = axis.spine.granularity
  const isPrior = shifts.includes('prior')
  const period = isPrior ? finest(grains.asked) : undefined
  const steps = shifts.map((shift): Step => {
    return shift === 'prior' ? { back: { count: 1, unit: period ?? 'day' } } : shift
  })
  const isToGrain = shifts.some((shift) => shift !== 'prior' && 'toGrain' in shift)
  const starts = isToGrain && !grains.asked.includes(spine) ? grains.asked : []
  const isCoarser = accumulation !== undefined && !grains.asked.includes(spine)
  return {
    ...axis,
    time: builder.baseTime(),
    cut: cutFor(accumulation?.window, period ?? spine),
    steps,
    accumulation,
    within: undefined,
    starts: period ? [period] : starts,
    regroup: isCoarser ? accumulation.periodAggregate : undefined,
  }
}

/** Windows that are finer than the spine look at moments, all others at whole periods. */
function cutFor(window: Interval | undefined, unit: Granularity): Granularity | undefined {
  const isFine =
    window !== undefined &&
    isGranularity(window.unit) &&
    GRANULARITIES.indexOf(window.unit) < GRANULARITIES.indexOf(unit)
  return isFine ? undefined : unit
}
