import { suggest } from '@olytix/errors'
import type { PolicyShape } from './definition-schemas.js'
import { parsePolicyFilter } from './policy-language.js'
import { policyDimensions } from './policy-dimensions.js'
import type { Defined, Problems } from './problems.js'
import type { Named } from './named.js'
import type { Cube, Policy } from './project.js'

/** The row-level policies, each checked against its cube. */
export function buildPolicies(
  definitions: readonly Defined<PolicyShape>[],
  cubes: Named<Cube>,
  problems: Problems,
): Policy[] {
  return problems.distinct('policy', definitions).flatMap((definition) => {
    const { shape } = definition
    const cube = cubes[shape.cube]
    if (!cube) {
      problems.unknown(definition, ['cube'], ['cube', shape.cube], Object.keys(cubes))
      return []
    }
    const { filter } = shape
    return [
      {
        name: shape.name,
        cube: shape.cube,
        description: shape.description ?? '',
        roles: shape.roles,
        filter:
          filter === undefined
            ? undefined
            : problems.parsing(definition, ['filter'], () =>
                parsePolicyFilter(filter, policyDimensions(cube, cubes)),
              ),
        filterText: filter,
        excludeMembers: excludedMembers(definition, cube, problems),
        rowLimit: shape.row_limit,
      },
    ]
  })
}

function excludedMembers(
  definition: Defined<PolicyShape>,
  cube: Cube,
  problems: Problems,
): string[] {
  const members = [cube.dimensions, cube.measures, cube.segments].flatMap((all) => Object.keys(all))
  return definition.shape.exclude_members.map((name, index) => {
    const own = name.startsWith(`${cube.name}.`) ? name.slice(cube.name.length + 1) : name
    if (!members.includes(own)) {
      problems.on(
        definition,
        ['exclude_members', index],
        `unknown member ${JSON.stringify(name)} of cube ${cube.name}`,
        suggest(own, members),
      )
    }
    return own
  })
}
