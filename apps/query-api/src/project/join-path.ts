import { type Hop, hopsFrom } from './member-names.js'
import type { Named } from './named.js'
import type { Cube } from './project.js'

/** Why there is no path, with the paths to choose from where there are several. */
export interface NoPath {
  readonly candidates: readonly string[]
}

const MAX_HOPS = 10

/**
 * Finds the shortest way from one cube to another over joins that cannot multiply rows.
 * Shape: one hop per join, in order. Several equally short ways are no answer: they come back as candidates, spelled out
 * so that a question may name one (`orders.billing_country`).
 */
export function findJoinPath(
  cubes: Named<Cube>,
  from: string,
  to: string,
): readonly Hop[] | NoPath {
  let frontier: Hop[][] = [[]]
  const seen = new Set([from])
  for (let length = 0; length <= MAX_HOPS && frontier.length > 0; length++) {
    const arrived = frontier.filter((path) => endOf(path, from) === to)
    const [only, ...others] = arrived
    if (only) return others.length === 0 ? only : { candidates: arrived.map((p) => spell(from, p)) }
    frontier = frontier.flatMap((path) => extensions(cubes, from, path, seen))
    for (const path of frontier) seen.add(endOf(path, from))
  }
  return { candidates: [] }
}

function extensions(
  cubes: Named<Cube>,
  from: string,
  path: Hop[],
  seen: ReadonlySet<string>,
): Hop[][] {
  const cube = cubes[endOf(path, from)]
  if (!cube) return []
  return hopsFrom(cubes, cube)
    .filter((hop) => !seen.has(hop.to))
    .map((hop) => [...path, hop])
}

function endOf(path: readonly Hop[], from: string): string {
  return path.at(-1)?.to ?? from
}

function spell(from: string, path: readonly Hop[]): string {
  return [from, ...path.map((hop) => hop.name)].join('.')
}
