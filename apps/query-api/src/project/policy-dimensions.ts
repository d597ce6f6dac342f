import { quote } from '@olytix/config/yaml'
import { findJoinPath } from './join-path.js'
import { type DimensionName, findDimension, type Hop } from './member-names.js'
import type { PolicyDimensions } from './policy-language.js'
import type { Named } from './named.js'
import type { Cube } from './project.js'

/**
 * What a policy of a cube may compare: its own dimensions, and those of cubes to which joins lead that find one row at
 * most. `customers.region` takes the shortest way, `orders.billing_country.name` is spelled out.
 */
export function policyDimensions(cube: Cube, cubes: Named<Cube>): PolicyDimensions {
  return {
    find: (name) => {
      const found = lookUp(`${cube.name}.${name}`, cubes) ?? lookUp(name, cubes)
      if (!found) return `${quote(name)} is no dimension of ${cube.name} or of a cube that it joins`
      const way = wayTo(cube, found, cubes)
      if (typeof way === 'string') return `${quote(name)} ${way}`
      const { name: dimension, type } = found.dimension
      return { dimension, through: way, type }
    },
    names: () => [
      ...Object.keys(cube.dimensions),
      ...Object.values(cubes)
        .filter(({ name }) => Array.isArray(findJoinPath(cubes, cube.name, name)))
        .flatMap(({ name, dimensions }) =>
          Object.keys(dimensions).map((dimension) => `${name}.${dimension}`),
        ),
    ],
  }
}

function lookUp(name: string, cubes: Named<Cube>): DimensionName | undefined {
  const found = findDimension({ cubes, timeSpines: [] }, name, true)
  if (typeof found === 'string') return undefined
  return (found.granularity ?? found.datePart) ? undefined : found
}

function wayTo(cube: Cube, found: DimensionName, cubes: Named<Cube>): readonly Hop[] | string {
  const first = findJoinPath(cubes, cube.name, found.start)
  if ('candidates' in first) {
    const { candidates } = first
    return candidates.length === 0
      ? `cannot be reached from ${cube.name}: no join leads there to one row`
      : `can be reached in several ways: ${candidates.join(', ')}; spell out one`
  }
  const way = [...first, ...found.hops]
  const dated = way.find(({ join }) => join.validity)
  return dated ? `is reached through ${dated.name}, a join to a table with history` : way
}
