import { AppError } from '@olytix/errors'
import { hopsFrom } from '../project/member-names.js'
import type { Cube, Dimension, Measure, Project, Segment } from '../project/project.js'
import type { Visibility } from '../rls/visibility.js'

interface MeasureMeta {
  readonly name: string
  readonly cube: string
  readonly type: string
  readonly title: string
  readonly description: string
  readonly format: string | null
  readonly drill_members: readonly string[]
}

export interface DimensionMeta {
  readonly name: string
  readonly cube: string
  readonly type: string
  readonly title: string
  readonly description: string
  readonly primary_key: boolean
  readonly granularities: readonly string[]
}

interface SegmentMeta {
  readonly name: string
  readonly cube: string
  readonly title: string
  readonly description: string
}

interface JoinMeta {
  readonly name: string
  readonly cube: string
  readonly relationship: string
}

/** A cube as the API describes it to one principal. */
export interface CubeMeta {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly measures: readonly MeasureMeta[]
  readonly dimensions: readonly DimensionMeta[]
  readonly segments: readonly SegmentMeta[]
  readonly joins: readonly JoinMeta[]
}

/** The cubes that the principal may see. */
export function describeCubes(project: Project, visibility: Visibility): readonly CubeMeta[] {
  return Object.values(project.cubes)
    .filter((cube) => visibility.cube(cube))
    .map((cube) => describe(project, visibility, cube))
}

/** @throws AppError NOT_FOUND, for a hidden cube as for one that is not there */
export function describeCube(project: Project, visibility: Visibility, name: string): CubeMeta {
  const cube = project.cubes[name]
  if (cube && visibility.cube(cube)) return describe(project, visibility, cube)
  throw new AppError('NOT_FOUND', 'There is no cube of this name')
}

function describe(project: Project, visibility: Visibility, cube: Cube): CubeMeta {
  const { name, title, description } = cube
  const visible = <T extends { readonly name: string; readonly isPublic: boolean }>(
    members: Readonly<Record<string, T>>,
  ): T[] => Object.values(members).filter((member) => visibility.member(cube, member))
  return {
    name,
    title,
    description,
    measures: visible(cube.measures).map((measure) => describeMeasure(measure, visibility)),
    dimensions: visible(cube.dimensions).map((dimension) => {
      return describeDimension(visibility.behindMask(dimension))
    }),
    segments: visible(cube.segments).map(describeSegment),
    joins: hopsFrom(project.cubes, cube).flatMap((hop): JoinMeta[] => {
      const target = project.cubes[hop.to]
      if (!target || !visibility.cube(target)) return []
      const relationship =
        hop.join.relationship === 'one_to_many' ? 'many_to_one' : hop.join.relationship
      return [{ name: hop.name, cube: hop.to, relationship }]
    }),
  }
}

function describeMeasure(measure: Measure, visibility: Visibility): MeasureMeta {
  const { name, cube, type, title, description, format = null, drillMembers } = measure
  const drill = drillMembers.filter((full) => visibility.name(full))
  return { name, cube, type, title, description, format, drill_members: drill }
}

function describeDimension(dimension: Dimension): DimensionMeta {
  const { name, cube, type, title, description, isPrimaryKey, granularities } = dimension
  return { name, cube, type, title, description, primary_key: isPrimaryKey, granularities }
}

function describeSegment({ name, cube, title, description }: Segment): SegmentMeta {
  return { name, cube, title, description }
}
