import { quote } from '@olytix/config/yaml'
import { DATE_PARTS, type DatePart } from './date-parts.js'
import type { Named } from './named.js'
import {
  type Cube,
  type Dimension,
  GRANULARITIES,
  type Granularity,
  type Join,
  type TimeSpine,
} from './project.js'

/** One step from a cube to another. `isReversed`: the join is declared by the cube that it leads to. */
export interface Hop {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly join: Join
  readonly isReversed: boolean
}

/** What `cube.dimension`, `cube.time.grain` or `cube.join.dimension` stands for. */
export interface DimensionName {
  /** As it was written. */
  readonly key: string
  /** The cube where a path begins. */
  readonly start: string
  /** Spelled out after `start`. */
  readonly hops: readonly Hop[]
  readonly dimension: Dimension
  readonly granularity: Granularity | undefined
  /** Of `cube.time.extract_month`. */
  readonly datePart: DatePart | undefined
  /** A granularity of a time spine's calendar. */
  readonly calendar: string | undefined
}

/** Where dimensions are looked up. */
export interface Dimensions {
  readonly cubes: Named<Cube>
  readonly timeSpines: readonly TimeSpine[]
}

/** How the periods or parts of a time dimension are asked for. */
export type TimeSuffix = Pick<DimensionName, 'granularity' | 'datePart' | 'calendar'>

export const NO_SUFFIX: TimeSuffix = {
  granularity: undefined,
  datePart: undefined,
  calendar: undefined,
}

/** What stands behind the name of a time dimension: a granularity, `extract_` and a part, or a calendar's granularity. */
export function readSuffix(
  suffix: string,
  granularities: readonly Granularity[],
  timeSpines: readonly TimeSpine[],
): TimeSuffix | undefined {
  const granularity = granularities.find((each) => each === suffix)
  if (granularity) return { ...NO_SUFFIX, granularity }
  const part = suffix.startsWith('extract_') ? suffix.slice('extract_'.length) : ''
  if (isDatePart(part)) return { ...NO_SUFFIX, datePart: part }
  const isCalendar = timeSpines.some(({ calendar }) => Object.hasOwn(calendar, suffix))
  return isCalendar ? { ...NO_SUFFIX, calendar: suffix } : undefined
}

function isDatePart(text: string): text is DatePart {
  return Object.hasOwn(DATE_PARTS, text)
}

/**
 * Looks up a dimension by its full name.
 * @param seesPrivate whether members with `public: false` exist for the one who asks: for definitions they do
 * @returns the reason as a text when there is none of this name
 */
export function findDimension(
  { cubes, timeSpines }: Dimensions,
  key: string,
  seesPrivate: boolean,
): DimensionName | string {
  const [start = '', ...rest] = key.split('.')
  const walked = walk(cubes, visible(cubes[start], seesPrivate), rest, seesPrivate)
  if (!walked || walked.rest.length > 2) return `unknown dimension ${quote(key)}`
  const [name = '', grain] = walked.rest
  const dimension = visible(walked.cube.dimensions[name], seesPrivate)
  if (!dimension) return `unknown dimension ${quote(key)}`
  const found = { key, start, hops: walked.hops, dimension, ...NO_SUFFIX }
  if (grain === undefined) return found
  const isTime = dimension.type === 'time'
  const suffix = isTime ? readSuffix(grain, dimension.granularities, timeSpines) : undefined
  return suffix ? { ...found, ...suffix } : noGranularity(dimension, grain)
}

function noGranularity({ cube, name, type, granularities }: Dimension, grain: string): string {
  return type === 'time'
    ? `${quote(grain)} is no granularity of ${cube}.${name}; it has ${granularities.join(', ')}`
    : `${cube}.${name} is no time dimension and has no granularities`
}

/** Follows the joins that a name spells out; what is left is a dimension's name and perhaps a granularity. */
function walk(
  cubes: Named<Cube>,
  cube: Cube | undefined,
  rest: readonly string[],
  seesPrivate: boolean,
): { cube: Cube; hops: readonly Hop[]; rest: readonly string[] } | undefined {
  if (!cube) return undefined
  const [name = '', ...others] = rest
  const hop = others.length > 0 ? hopByName(cubes, cube, name) : undefined
  if (!hop) return { cube, hops: [], rest }
  const further = walk(cubes, visible(cubes[hop.to], seesPrivate), others, seesPrivate)
  return further && { ...further, hops: [hop, ...further.hops] }
}

function visible<T extends { readonly isPublic: boolean }>(
  thing: T | undefined,
  seesPrivate: boolean,
): T | undefined {
  return thing?.isPublic === true || seesPrivate ? thing : undefined
}

function hopByName(cubes: Named<Cube>, cube: Cube, name: string): Hop | undefined {
  return cube.dimensions[name] ? undefined : hopsFrom(cubes, cube).find((hop) => hop.name === name)
}

/**
 * The steps from a cube that cannot multiply its rows: its own joins to one row, and joins of others to it, turned
 * round, unless it declares one to them itself.
 */
export function hopsFrom(cubes: Named<Cube>, { name }: Cube): readonly Hop[] {
  const known = hopsOf.get(cubes) ?? allHops(cubes)
  hopsOf.set(cubes, known)
  return known.get(name) ?? []
}

/** Of all cubes at once: looking through all of them for each step would be most of a plan. */
const hopsOf = new WeakMap<Named<Cube>, ReadonlyMap<string, readonly Hop[]>>()

function allHops(cubes: Named<Cube>): ReadonlyMap<string, readonly Hop[]> {
  const all = Object.values(cubes)
  const hops = new Map(all.map((cube) => [cube.name, forwardHops(cube)]))
  for (const other of all) {
    for (const join of Object.values(other.joins)) {
      const hop = backwardHop(cubes[join.cube], other, join)
      if (hop) hops.get(join.cube)?.push(hop)
    }
  }
  return hops
}

function forwardHops(cube: Cube): Hop[] {
  return Object.values(cube.joins)
    .filter(({ relationship }) => relationship !== 'one_to_many')
    .map((join) => {
      return { name: join.name, from: cube.name, to: join.cube, join, isReversed: false }
    })
}

function backwardHop(cube: Cube | undefined, other: Cube, join: Join): Hop | undefined {
  if (!cube || cube.name === other.name || join.relationship === 'many_to_one') return undefined
  if (Object.values(cube.joins).some((own) => own.cube === other.name)) return undefined
  return { name: other.name, from: cube.name, to: other.name, join, isReversed: true }
}

/** Full names of all dimensions, each time dimension also with its granularities. */
export function dimensionNames(cubes: Named<Cube>): string[] {
  return Object.values(cubes).flatMap((cube) =>
    Object.values(cube.dimensions).flatMap(({ name, granularities }) => {
      const full = `${cube.name}.${name}`
      return [
        full,
        ...GRANULARITIES.filter((g) => granularities.includes(g)).map((g) => `${full}.${g}`),
      ]
    }),
  )
}
