import type { Cube, Policy, Project } from '../project/project.js'

/**
 * What only an admin may change, because policies or masks rest on it: of a cube that has any, what it reads and how it is
 * joined; the members that a policy or mask names; and the same of cubes whose members a policy's filter compares.
 * @returns the first of these that differs or is gone; `undefined`: none
 */
export function changedGuard(before: Project, after: Project): string | undefined {
  const now = guardedParts(after, before)
  return [...guardedParts(before, before)].find(([part, text]) => now.get(part) !== text)?.[0]
}

/** Each part that the rules of a project rest on, as a text to compare. */
function guardedParts(project: Project, rules: Project): Map<string, string> {
  const parts = new Map<string, string>()
  for (const { cube, members } of [...rules.policies.flatMap(named), ...rules.masking]) {
    const own = project.cubes[cube]
    parts.set(`what cube ${cube} reads`, JSON.stringify(own && relationOf(own)))
    parts.set(`joins of cube ${cube}`, JSON.stringify(own?.joins))
    for (const member of members) {
      parts.set(`${cube}.${member}`, JSON.stringify(own && memberOf(own, member)))
    }
  }
  return parts
}

interface NamedMembers {
  readonly cube: string
  readonly members: readonly string[]
}

/** The members that a policy names, by their cubes. */
function named({ cube, filter, excludeMembers }: Policy): NamedMembers[] {
  return [{ cube, members: excludeMembers }, ...comparedIn(filter, cube)]
}

/** A filter names dimensions of its own cube, and by `through` those of cubes that joins lead to. */
function comparedIn(part: unknown, cube: string): NamedMembers[] {
  if (typeof part !== 'object' || part === null) return []
  if (!('dimension' in part && 'through' in part)) {
    return Object.values(part).flatMap((each) => comparedIn(each, cube))
  }
  const hops = Array.isArray(part.through) ? part.through.flatMap(cubeAfter) : []
  const onTheWay = hops.map((to) => ({ cube: to, members: [] }))
  return [...onTheWay, { cube: hops.at(-1) ?? cube, members: [String(part.dimension)] }]
}

function cubeAfter(hop: unknown): string[] {
  return typeof hop === 'object' && hop !== null && 'to' in hop ? [String(hop.to)] : []
}

function relationOf({ relation: { text, tables } }: Cube): unknown {
  return { text, tables }
}

function memberOf({ dimensions, measures, segments }: Cube, name: string): unknown {
  const dimension = dimensions[name]
  if (dimension) return [dimension.type, dimension.expression]
  const measure = measures[name]
  if (measure) return [measure.type, measure.expression, measure.filters]
  return segments[name]?.expression
}
