import { suggest } from '@olytix/errors'
import type { MaskingShape } from './definition-schemas.js'
import type { Defined, Problems } from './problems.js'
import type { Named } from './named.js'
import type { Cube, Dimension, DimensionType, Mask, Masking, Measure, Policy } from './project.js'
import { quote } from '@olytix/config/yaml'

interface Known {
  readonly cubes: Named<Cube>
  /** Policies of rows: both kinds are called by one name. */
  readonly policies: readonly Policy[]
  /** Whether there is a key for `mask: hash`. */
  readonly hasKey: boolean
}

/** The masking policies, each checked against the members that it masks. A member has one at most. */
export function buildMasking(
  definitions: readonly Defined<MaskingShape>[],
  known: Known,
  problems: Problems,
): Masking[] {
  const masked = new Map<string, string>()
  return problems.distinct('masking policy', definitions).flatMap((definition) => {
    const { shape } = definition
    if (known.policies.some((policy) => policy.name === shape.name)) {
      problems.on(definition, ['name'], `policy ${quote(shape.name)} filters rows already`)
    }
    const cube = known.cubes[shape.cube]
    if (!cube) {
      problems.unknown(definition, ['cube'], ['cube', shape.cube], Object.keys(known.cubes))
      return []
    }
    if (shape.mask === 'hash' && !known.hasKey) {
      problems.on(definition, ['mask'], 'mask: hash needs a key: set OLYTIX_MASKING__KEY')
    }
    const { name, description = '', except_roles: exceptRoles, mask } = shape
    const members = maskedMembers({ definition, cube, problems }, masked)
    return [{ name, cube: cube.name, description, members, exceptRoles, mask }]
  })
}

interface Scope {
  readonly definition: Defined<MaskingShape>
  readonly cube: Cube
  readonly problems: Problems
}

function maskedMembers(scope: Scope, masked: Map<string, string>): string[] {
  const { definition, cube, problems } = scope
  const known = [cube.dimensions, cube.measures, cube.segments].flatMap((all) => Object.keys(all))
  return definition.shape.members.map((name, index) => {
    const own = name.startsWith(`${cube.name}.`) ? name.slice(cube.name.length + 1) : name
    const at = ['members', index]
    if (!known.includes(own)) {
      const message = `unknown member ${quote(name)} of cube ${cube.name}`
      problems.on(definition, at, message, suggest(own, known))
      return own
    }
    const full = `${cube.name}.${own}`
    const other = masked.get(full)
    if (other !== undefined) problems.on(definition, at, `${full} is masked by ${quote(other)}`)
    masked.set(full, definition.shape.name)
    const misfit = misfitOf(cube, own, definition.shape.mask)
    if (misfit !== undefined) problems.on(definition, at, `${full} ${misfit}`)
    return own
  })
}

/** Why a member cannot have a mask. */
function misfitOf(cube: Cube, name: string, mask: Mask): string | undefined {
  if (mask === 'none') return undefined
  const dimension = cube.dimensions[name]
  if (dimension) return misfitOfDimension(dimension, mask)
  const measure = cube.measures[name]
  return measure ? misfitOfMeasure(measure, mask) : 'is a segment, which has no value to mask'
}

function misfitOfDimension({ type, isPartition }: Dimension, mask: Mask): string | undefined {
  if (isPartition) return 'is a partition, by which cubes are joined, and cannot be masked'
  if (mask === 'hash' && type !== 'string' && type !== 'number') {
    return `is a ${type}; hash masks texts and numbers`
  }
  return typeof mask === 'object' && !isOfType(mask.value, type) ? expected(type) : undefined
}

function misfitOfMeasure({ valueType }: Measure, mask: Mask): string | undefined {
  return typeof mask === 'object' && !isOfType(mask.value, valueType)
    ? expected(valueType)
    : undefined
}

function expected(type: DimensionType): string {
  return type === 'time'
    ? 'is a time; its mask must be null or a date such as 2016-01-31'
    : `is a ${type}, and so must be the value of its mask`
}

/** Whether a fixed value can stand for values of a type. */
export function isOfType(value: string | number | boolean, type: DimensionType): boolean {
  if (type === 'time') {
    return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && isDate(value)
  }
  return typeof value === type && (typeof value !== 'number' || Number.isFinite(value))
}

function isDate(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}
