import { quote } from '@olytix/config/yaml'
import type { CubeShape, DimensionShape, JoinShape } from './definition-schemas.js'
import { type Defined, part, type Problems } from './problems.js'

/** A cube with all that it takes over from the cubes that it extends. */
export interface WholeCube extends Defined<CubeShape> {
  /** The cube whose definition says what is read: itself, or one that it extends. */
  readonly readsAs: string
  /** By member or join that another definition holds: where it stands, and the name of its cube there. */
  readonly takenOver: ReadonlyMap<object, TakenOver>
}

interface TakenOver {
  readonly defined: Defined<unknown>
  readonly cube: string
}

const MAX_ANCESTORS = 20

type PartKind = 'dimensions' | 'measures' | 'segments' | 'joins'

/**
 * Cubes with all that they take over: relation, members and joins, but for what they define anew. Of a circle, and of
 * what extends an unknown cube, nothing is left.
 */
export function extendCubes(cubes: readonly Defined<CubeShape>[], problems: Problems): WholeCube[] {
  const byName = new Map(cubes.map((cube) => [cube.shape.name, cube]))
  const whole = new Map<string, WholeCube | undefined>()
  const wholeOf = (cube: Defined<CubeShape>, heirs: readonly string[]): WholeCube | undefined => {
    const { name } = cube.shape
    if (whole.has(name)) return whole.get(name)
    const result = extended(cube, heirs)
    whole.set(name, result)
    return result
  }
  const extended = (cube: Defined<CubeShape>, heirs: readonly string[]): WholeCube | undefined => {
    const { name, extends: ancestor } = cube.shape
    if (ancestor === undefined) return { ...cube, readsAs: name, takenOver: new Map() }
    const found = byName.get(ancestor)
    const line = [...heirs, name]
    if (!found) {
      problems.unknown(cube, ['extends'], ['cube', ancestor], byName.keys())
    } else if (line.includes(ancestor)) {
      problems.on(cube, ['extends'], `cube ${quote(ancestor)} would extend itself`)
    } else if (line.length > MAX_ANCESTORS) {
      problems.on(cube, ['extends'], `more than ${String(MAX_ANCESTORS)} cubes extend each other`)
    } else {
      const before = wholeOf(found, line)
      return before && heirOf(cube, before)
    }
    return undefined
  }
  return cubes.flatMap((cube) => wholeOf(cube, []) ?? [])
}

/** A part of a cube where it was written. */
export function partOf<T extends object>(
  cube: WholeCube,
  [kind, index]: readonly [PartKind, number],
  shape: T,
): Defined<T> {
  const taken = cube.takenOver.get(shape)
  return taken ? { ...taken.defined, shape } : part(cube, [kind, index], shape)
}

/** The name of the cube in the text of one of its parts. */
export function nameInText(cube: WholeCube, shape: object): string {
  return cube.takenOver.get(shape)?.cube ?? cube.shape.name
}

/** The dimension that is marked, or the only time there is. */
export function primaryTimeOf({ dimensions }: CubeShape): DimensionShape | undefined {
  const times = dimensions.filter(({ type }) => type === 'time')
  const marked = dimensions.find((each) => each.primary_time)
  return marked ?? (times.length === 1 ? times[0] : undefined)
}

function heirOf(cube: Defined<CubeShape>, before: WholeCube): WholeCube {
  const own = cube.shape
  const takenOver = new Map<object, TakenOver>()
  /** Parts that are taken over, as the heir has them; the rest has others of the name. */
  const take = <T extends { readonly name: string }>(
    kind: PartKind,
    parts: readonly T[],
    asHeirs: (part: T) => T | undefined,
  ): T[] =>
    parts.flatMap((original, index) => {
      const taken = asHeirs(original)
      if (!taken) return []
      const defined = { ...partOf(before, [kind, index], original), heir: own.name }
      takenOver.set(taken, { defined, cube: nameInText(before, original) })
      return [taken]
    })
  const { dimensions, measures, segments, joins } = before.shape
  const members = new Set([...own.dimensions, ...own.measures, ...own.segments].map(nameOf))
  const kept = <T extends { readonly name: string }>(member: T): T | undefined =>
    members.has(member.name) ? undefined : { ...member }
  const hasOwnRelation = readsSomething(own)
  const shape = {
    ...own,
    refresh_key: own.refresh_key ?? (hasOwnRelation ? undefined : before.shape.refresh_key),
    dimensions: [
      ...take('dimensions', dimensions, (each) => inTime(kept(each), own, before.shape)),
      ...own.dimensions,
    ],
    measures: [...take('measures', measures, kept), ...own.measures],
    segments: [...take('segments', segments, kept), ...own.segments],
    joins: [...take('joins', joins, (each) => onlyForward(each, own)), ...own.joins],
  }
  return { ...cube, shape, readsAs: hasOwnRelation ? own.name : before.readsAs, takenOver }
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

/** Whether a cube itself says what it reads. */
export function readsSomething({ sql, sql_table: table, model }: CubeShape): boolean {
  return [sql, table, model].some((each) => each !== undefined)
}

/** The primary time stays what it was, unless the heir names another. */
function inTime(
  dimension: DimensionShape | undefined,
  own: CubeShape,
  before: CubeShape,
): DimensionShape | undefined {
  const isMarkedAnew = own.dimensions.some((each) => each.primary_time)
  const isPrimary = !isMarkedAnew && primaryTimeOf(before)?.name === dimension?.name
  return dimension && { ...dimension, primary_time: isPrimary }
}

/**
 * A join that is taken over leads away from the heir only. Turned round it would be a second way to whatever the heir
 * shares with the cube that it extends, and questions that were clear would no longer be.
 */
function onlyForward(join: JoinShape, own: CubeShape): JoinShape | undefined {
  const isOverridden = own.joins.some(({ name }) => name === join.name)
  if (isOverridden || join.relationship === 'one_to_many') return undefined
  return { ...join, relationship: 'many_to_one' }
}
