import { type Cell, type CubeName, type DimensionKind, MODEL, type Row, type Shop } from './shop.js'
import {
  datePart,
  floorTo,
  sprintStart,
  type Grain,
  GRAINS,
  readMs,
  wallClock,
  written,
} from './naive-time.js'

/** The question has no answer; the service must refuse it too. */
export class Unanswerable extends Error {}

/** A row of a cube as a fact sees it. */
export interface Seen {
  readonly cube: CubeName
  readonly row: Row
  /** The cube's time that the axis means. */
  readonly time: string | undefined
  /** When it is seen, on the wall clock, if that is not its own time. */
  readonly at?: number | undefined
  /** The row of a conversion that is credited to it. */
  readonly credited?: Row
  /** A row that no row of the cube leads to: it stands at this path, all before it is empty. */
  readonly lonely?: { readonly path: readonly string[]; readonly row: Row }
}

export interface Setting {
  readonly shop: Shop
  readonly zone: string
}

/** A dimension of a question. */
export interface Named {
  readonly kind: DimensionKind
  readonly grain: Grain | undefined
  readonly part: string | undefined
  /** The granularity of the calendar. */
  readonly isSprint: boolean
  /** Whether it is the time axis of the fact. */
  readonly isAxis: boolean
  readonly path: readonly string[]
  readonly column: string
}

/** Looks a name up for facts of a cube. */
export function lookUp(name: string, cube: CubeName, time: string | undefined): Named {
  const [start = '', ...rest] = name.split('.')
  if (start === 'metric_time') {
    if (time === undefined) throw new Unanswerable(`${cube} has no time`)
    return lookUp([cube, time, ...rest].join('.'), cube, time)
  }
  const path = [...shortestPath(cube, start), ...spelledOut(start, rest)]
  if (time === undefined && crossesHistory(cube, path)) throw new Unanswerable('valid when?')
  const [column = '', suffix = ''] = rest.slice(spelledOut(start, rest).length)
  const kind = MODEL[cubeAt(cube, path)].dimensions[column]
  if (!kind) throw new Unanswerable(`there is no ${name}`)
  const isAxis = path.length === 0 && column === time
  return { kind, ...readSuffix(suffix), isAxis, path, column }
}

function readSuffix(suffix: string): Pick<Named, 'grain' | 'part' | 'isSprint'> {
  const grain = GRAINS.find((each) => each === suffix)
  const part = /^extract_(.*)/.exec(suffix)?.[1]
  return { grain, part, isSprint: suffix === 'sprint' }
}

/** The joins at the beginning of a name. */
function spelledOut(start: string, names: readonly string[]): string[] {
  const [first = '', ...others] = names
  const to = isCube(start) ? MODEL[start].joins[first]?.to : undefined
  return to === undefined ? [] : [first, ...spelledOut(to, others)]
}

export function isCube(name: string): name is CubeName {
  return Object.hasOwn(MODEL, name)
}

function cubeAt(cube: CubeName, path: readonly string[]): CubeName {
  return path.reduce<CubeName>((at, hop) => MODEL[at].joins[hop]?.to ?? at, cube)
}

function crossesHistory(cube: CubeName, path: readonly string[]): boolean {
  return path.some((hop, at) => MODEL[cubeAt(cube, path.slice(0, at))].joins[hop]?.isHistory)
}

function shortestPath(from: CubeName, to: string): string[] {
  let paths: string[][] = [[]]
  for (let length = 0; length < 5; length++) {
    const found = paths.find((path) => cubeAt(from, path) === to)
    if (found) return found
    paths = paths.flatMap((path) =>
      Object.keys(MODEL[cubeAt(from, path)].joins).map((hop) => [...path, hop]),
    )
  }
  throw new Unanswerable(`${to} cannot be reached from ${from}`)
}

/** The row that joins lead to; an empty one where there is none. */
export function reach(shop: Shop, { cube, row, time, lonely }: Seen, path: readonly string[]): Row {
  const when = row[time ?? ''] ?? null
  if (!lonely) return follow({ shop, when }, cube, row, path)
  if (!lonely.path.every((hop, index) => path[index] === hop)) return {}
  const rest = path.slice(lonely.path.length)
  return follow({ shop, when }, cubeAt(cube, lonely.path), lonely.row, rest)
}

/** All rows that a path of joins leads to. */
export function rowsAt(shop: Shop, cube: CubeName, path: readonly string[]): readonly Row[] {
  return shop[cubeAt(cube, path)]
}

function follow(
  from: { readonly shop: Shop; readonly when: Cell },
  cube: CubeName,
  row: Row,
  path: readonly string[],
): Row {
  const [hop, ...others] = path
  const join = MODEL[cube].joins[hop ?? '']
  if (!join) return row
  const key = row[join.column] ?? null
  const isPartner = (other: Row): boolean =>
    join.isHistory ? other[join.column] === key && isValid(other, from.when) : other['id'] === key
  const found = key === null ? undefined : from.shop[join.to].find(isPartner)
  return follow(from, join.to, found ?? {}, others)
}

/** An end that is null is open. */
function isValid({ since = null, until = null }: Row, when: Cell): boolean {
  const has = (test: (day: string) => boolean): boolean => typeof when === 'string' && test(when)
  return (
    (since === null || has((day) => since <= day)) && (until === null || has((day) => day < until))
  )
}

/** The time of a dimension, on the wall clock; `undefined` where there is none. */
export function timeOf({ shop, zone }: Setting, seen: Seen, named: Named): number | undefined {
  if (named.isAxis && seen.at !== undefined) return seen.at
  const cell = reach(shop, seen, named.path)[named.column]
  if (typeof cell !== 'string') return undefined
  return named.kind === 'instant' ? wallClock(readMs(cell), zone) : readMs(cell)
}

/** The value of a dimension for a row, as an answer writes it. */
export function cellOf(setting: Setting, seen: Seen, named: Named): Cell {
  if (named.kind !== 'time' && named.kind !== 'instant') {
    return reach(setting.shop, seen, named.path)[named.column] ?? null
  }
  const ms = timeOf(setting, seen, named)
  if (ms === undefined) return null
  if (named.part !== undefined) return datePart(ms, named.part)
  if (named.isSprint) return sprintOf(ms)
  const at = named.grain ? floorTo(ms, named.grain) : ms
  return written(at, named.grain, named.kind === 'time')
}

/** As the time spine of days has it, which begins and ends somewhere. */
function sprintOf(ms: number): Cell {
  const start = sprintStart(ms)
  return start === undefined ? null : written(start, undefined, true)
}
