import { filterLeaves, type FilterNode } from '../../src/project/filter-shape.js'
import type { Input, Shift } from './naive-metrics.js'
import { lookUp, type Named, type Seen, type Setting, timeOf, Unanswerable } from './naive-rows.js'
import { DAY, floorTo, type Grain, GRAINS, HOUR, plus, readMs } from './naive-time.js'
import { MODEL } from './shop.js'

/** The time spines of `shop-definitions.ts`. */
const SPINES = {
  hour: [readMs('2024-01-25'), readMs('2024-04-20T23:00:00'), HOUR],
  day: [readMs('2024-01-20'), readMs('2024-05-10'), DAY],
} as const

type SpineGrain = keyof typeof SPINES

interface Axis {
  /** Granularities that are asked of the time axis. */
  readonly asked: readonly Grain[]
  /** With those that parts are made of. */
  readonly needed: readonly Grain[]
}

/** Which of the asked dimensions are an input's time axis; `undefined` when none is. */
export function axisOf(
  dimensions: readonly string[],
  { cube, measure, conversion }: Input,
): Axis | undefined {
  const time = conversion ? MODEL[cube].time : (measure.time ?? MODEL[cube].time)
  const own = dimensions.map((name) => lookUp(name, cube, time)).filter(({ isAxis }) => isAxis)
  if (own.length === 0) return undefined
  const stored = MODEL[cube].dimensions[time ?? ''] === 'instant' ? 'hour' : 'day'
  const asked = own.flatMap(({ grain, part, isSprint }) => {
    return part === undefined && !isSprint ? [grain ?? stored] : []
  })
  const parts = own.flatMap(({ part, isSprint }) => {
    return part === undefined ? (isSprint ? (['day'] as const) : []) : [partGrain(part)]
  })
  return { asked, needed: [...asked, ...parts] }
}

function partGrain(part: string): Grain {
  return part === 'hour' ? 'hour' : 'day'
}

function finest(grains: readonly Grain[]): Grain {
  return GRAINS.find((grain) => grains.includes(grain)) ?? 'year'
}

/** The coarsest time spine that is no coarser. */
export function spineFor(grains: readonly Grain[]): SpineGrain {
  return finest(grains) === 'hour' ? 'hour' : 'day'
}

export function spineTimes(grain: SpineGrain): number[] {
  const [from, to, step] = SPINES[grain]
  return Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step)
}

/** How the rows of a cube are seen from each time of a time spine. */
export function seenFromSpine(
  setting: Setting,
  rows: readonly Seen[],
  input: Input,
  { axis, isShown }: { readonly axis: Axis; readonly isShown: (moment: number) => boolean },
): { readonly seen: readonly Seen[]; readonly spine: SpineGrain } {
  const { shifts, accumulation } = input
  if (input.measure.edge ?? input.conversion) throw new Unanswerable('not added over time')
  const units = shifts.flatMap((shift) =>
    shift === 'prior' ? [] : 'back' in shift ? shift.grain : shift.toStartOf,
  )
  const spine = spineFor([...axis.needed, ...units, ...(accumulation ? (['day'] as const) : [])])
  const period = shifts.includes('prior') ? priorPeriod(input, axis) : undefined
  const starts = period ? [period] : startsOf(shifts, axis, spine)
  const times = spineTimes(spine).filter(
    (at) => starts.length === 0 || starts.some((grain) => floorTo(at, grain) === at),
  )
  const cut = cutOf(input, period ?? spine)
  const seen = times.flatMap((at) => {
    const moment = shifts.reduce((from, shift) => shifted(from, shift, period ?? 'day'), at)
    if (accumulation && shifts.length > 0 && !isShown(moment)) return []
    return rows
      .filter((each) => {
        const time = timeOf(setting, each, ownTime(each))
        return time !== undefined && counts(cut ? floorTo(time, cut) : time, moment, accumulation)
      })
      .map((each) => ({ ...each, at }))
  })
  return { seen, spine }
}

function ownTime({ cube, time }: Seen): Named {
  return lookUp(`${cube}.${time ?? ''}`, cube, time)
}

function priorPeriod({ shifts, accumulation }: Input, { asked }: Axis): Grain {
  if (shifts.length > 1 || accumulation || asked.length === 0)
    throw new Unanswerable('prior stands alone')
  return finest(asked)
}

function startsOf(shifts: readonly Shift[], { asked }: Axis, spine: Grain): readonly Grain[] {
  const isToStart = shifts.some((shift) => shift !== 'prior' && 'toStartOf' in shift)
  return isToStart && !asked.includes(spine) ? asked : []
}

/** A window that is shorter than the spine's periods looks at moments. */
function cutOf({ accumulation }: Input, grain: Grain): Grain | undefined {
  const unit = accumulation?.window?.[1]
  return unit && GRAINS.indexOf(unit) < GRAINS.indexOf(grain) ? undefined : grain
}

function shifted(at: number, shift: Shift, period: Grain): number {
  if (shift === 'prior') return plus(at, -1, period)
  return 'back' in shift ? plus(at, -shift.back, shift.grain) : floorTo(at, shift.toStartOf)
}

function counts(time: number, moment: number, accumulation: Input['accumulation']): boolean {
  if (!accumulation) return time === moment
  const { window, toDate } = accumulation
  if (window) return time <= moment && time > plus(moment, -window[0], window[1])
  return time <= moment && (toDate === undefined || time >= floorTo(moment, toDate))
}

/** Filters that are about the time axis alone limit its periods. */
export function isOnAxis(node: FilterNode, { cube }: Input, time: string | undefined): boolean {
  return filterLeaves([node]).every(({ dimension, metric }) => {
    return metric === undefined && lookUp(dimension ?? '', cube, time).isAxis
  })
}
