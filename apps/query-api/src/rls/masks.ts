import type { Principal } from '@olytix/auth-guards'
import { deepFreeze, type Secret } from '@olytix/config'
import { isOfType } from '../project/build-masking.js'
import { byName } from '../project/named.js'
import type {
  Cube,
  Dimension,
  DimensionType,
  Expression,
  Mask,
  Masking,
  Measure,
  Project,
} from '../project/project.js'
import { columnsRead, ProtectedColumns } from './protected-columns.js'

type FixedMask = 'null' | { readonly value: string | number | boolean }

export type ColumnMask = FixedMask | 'partial' | { readonly hashKey: Secret }

/** A masked member as a column that its cube's sub-query has besides those of its relation. */
export interface MaskedColumn {
  readonly member: string
  /** The masking policy. */
  readonly policy: string
  readonly column: string
  readonly mask: ColumnMask
  /** Of the mask, which stands in place of values of this type. */
  readonly type: DimensionType
  /** What is masked; `undefined` where the mask does not depend on it. */
  readonly expression: Expression | undefined
}

/** A project as it is behind the masks that hold for some principals. */
export interface MaskedProject {
  /** Masked members read the columns of their masks, so that no question can read anything else. */
  readonly project: Project
  /** By cube and member. */
  readonly masked: ReadonlyMap<string, ReadonlyMap<string, MaskedColumn>>
  /** Members, by cube, that read what is masked and have no masking policy of their own. */
  readonly closed: ReadonlyMap<string, ReadonlySet<string> | 'all'>
}

/** The project behind the masks that hold for a principal; the same object for the same masks. */
export function maskedProject(project: Project, principal: Principal): MaskedProject {
  const views = known.get(project) ?? new Views(project)
  known.set(project, views)
  return views.of(principal)
}

const known = new WeakMap<Project, Views>()

class Views {
  /** As many as there are different sets of masks in force, which the definitions bound. */
  private readonly byMasks = new Map<string, MaskedProject>()
  /** One question asks many times. */
  private readonly byPrincipal = new WeakMap<Principal, MaskedProject>()

  constructor(private readonly project: Project) {}

  of(principal: Principal): MaskedProject {
    const before = this.byPrincipal.get(principal)
    if (before) return before
    const held = this.project.masking.filter((each) => holdsFor(each, principal))
    const key = JSON.stringify(held.map(({ name }) => name))
    const result = this.byMasks.get(key) ?? build(this.project, held)
    this.byMasks.set(key, result)
    this.byPrincipal.set(principal, result)
    return result
  }
}

function holdsFor({ mask, exceptRoles }: Masking, principal: Principal): boolean {
  return mask !== 'none' && !exceptRoles.some((role) => principal.roles.includes(role))
}

function build(project: Project, held: readonly Masking[]): MaskedProject {
  if (held.length === 0) return { project, masked: new Map(), closed: new Map() }
  const all = protectedBy(project, held)
  const views = Object.values(project.cubes).map((cube) => maskCube(project, cube, held, all))
  return {
    project: deepFreeze({ ...project, cubes: byName(views.map(({ cube }) => cube)) }),
    masked: new Map(views.map(({ cube, masked }) => [cube.name, masked])),
    closed: new Map(views.map(({ cube, closed }) => [cube.name, closed])),
  }
}

/** What masked members read; of measures what they aggregate, not what they are filtered by. */
function protectedBy({ cubes }: Project, held: readonly Masking[]): ProtectedColumns {
  const columns = held.flatMap(({ cube: name, members }) => {
    const cube = cubes[name]
    return members.flatMap((member) => {
      const expression = cube?.dimensions[member]?.expression ?? cube?.measures[member]?.expression
      return cube && expression ? columnsRead(cube, expression) : []
    })
  })
  return new ProtectedColumns(columns)
}

interface CubeView {
  readonly cube: Cube
  readonly masked: ReadonlyMap<string, MaskedColumn>
  readonly closed: ReadonlySet<string> | 'all'
}

function maskCube(
  project: Project,
  cube: Cube,
  held: readonly Masking[],
  all: ProtectedColumns,
): CubeView {
  const masks = new CubeMasks(project, cube, held)
  const isHidden = (...expressions: readonly Expression[]): boolean =>
    all.isAmong(expressions.flatMap((each) => columnsRead(cube, each)))
  const closed = new Set<string>()
  const dimensions = Object.values(cube.dimensions).map((dimension) => {
    const masked = masks.dimension(dimension)
    if (masked) return masked
    if (!masks.isNamed(dimension.name) && isHidden(dimension.expression)) closed.add(dimension.name)
    return dimension
  })
  for (const { name, expression } of Object.values(cube.segments)) {
    if (!masks.isNamed(name) && isHidden(expression)) closed.add(name)
  }
  const measures = Object.values(cube.measures).map((measure) => {
    const masked = masks.measure(measure)
    if (masked) return masked
    const read = [...(measure.expression ? [measure.expression] : []), ...measure.filters]
    if (!masks.isNamed(measure.name) && isHidden(...read)) closed.add(measure.name)
    return measure
  })
  const isOpen = !all.isAmong(cube.relation.lineage.rows) || hasOwnRules(project, cube)
  return {
    cube: { ...cube, dimensions: byName(dimensions), measures: byName(measures) },
    masked: masks.columns,
    closed: isOpen ? closed : 'all',
  }
}

/** An admin who gives a cube rules of its own has seen what its rows are chosen by. */
function hasOwnRules({ policies, masking }: Project, { name }: Cube): boolean {
  return [...policies, ...masking].some(({ cube }) => cube === name)
}

/** The masks of one cube's members, and the members behind them. */
class CubeMasks {
  readonly columns = new Map<string, MaskedColumn>()
  private readonly own: readonly Masking[]
  private readonly names: ReadonlySet<string>

  constructor(
    private readonly project: Project,
    private readonly cube: Cube,
    held: readonly Masking[],
  ) {
    const ofCube = project.masking.filter(({ cube: name }) => name === cube.name)
    this.names = new Set(ofCube.flatMap(({ members }) => members))
    this.own = ofCube.filter((each) => held.includes(each))
  }

  /** Whether a masking policy speaks of the member, also one that does not hold here. */
  isNamed(member: string): boolean {
    return this.names.has(member)
  }

  dimension(dimension: Dimension): Dimension | undefined {
    const masking = this.maskingOf(dimension.name)
    if (!masking || masking.mask === 'none') return undefined
    const { mask, name: policy } = masking
    const { name: member, expression } = dimension
    const type = mask === 'hash' ? 'string' : dimension.type
    const made = this.made(mask, type)
    const column = { member, policy, type, mask: made ?? fixed(mask, type) }
    const masked = this.add({ ...column, expression: made && expression })
    return { ...dimension, type, expression: masked }
  }

  /** Aggregates of what is masked are the mask itself, where it is one fixed value. */
  measure(measure: Measure): Measure | undefined {
    const masking = this.maskingOf(measure.name) ?? this.maskingBehind(measure)
    if (!masking) return undefined
    const { valueType: type, name: member } = measure
    const mask = fixed(masking.mask, type)
    const policy = masking.name
    const expression = this.add({ member, policy, type, mask, expression: undefined })
    return { ...measure, type: 'max', expression, value: undefined, filters: [] }
  }

  /** A mask that is made of the value. */
  private made(mask: Mask, type: DimensionType): ColumnMask | undefined {
    const { maskingKey: hashKey } = this.project
    if (mask === 'hash' && hashKey) return { hashKey }
    return mask === 'partial' && type === 'string' ? mask : undefined
  }

  private maskingOf(member: string): Masking | undefined {
    return this.own.find(({ members }) => members.includes(member))
  }

  /** The policy that masks a dimension which the measure reads, unless the measure has one of its own. */
  private maskingBehind({ name, expression, filters }: Measure): Masking | undefined {
    if (this.names.has(name)) return undefined
    const read = [...(expression ? [expression] : []), ...filters].flatMap((each) =>
      columnsRead(this.cube, each),
    )
    return this.own.find(({ members }) => {
      const masked = members.flatMap((member) => this.cube.dimensions[member]?.expression ?? [])
      const columns = masked.flatMap((each) => columnsRead(this.cube, each))
      return new ProtectedColumns(columns).isAmong(read)
    })
  }

  private add(column: Omit<MaskedColumn, 'column'>): Expression {
    const name = `olytix_mask_${String(this.columns.size)}`
    this.columns.set(column.member, { ...column, column: name })
    return { parts: [{ column: name, of: 'own' }], canRaise: false }
  }
}

/** A mask that does not depend on the value. */
function fixed(mask: Mask, type: DimensionType): FixedMask {
  return typeof mask === 'object' && isOfType(mask.value, type) ? mask : 'null'
}
