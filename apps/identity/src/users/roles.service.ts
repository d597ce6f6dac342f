import { Injectable } from '@nestjs/common'
import { type ErrorDetail, suggest } from '@olytix/errors'
import type { Queryable } from '@olytix/postgres'
import { listRoleNames } from './roles.queries.js'

/** Roles: named sets of scopes, which policies refer to by name. */
@Injectable()
export class RolesService {
  /** A problem for each name that is no role, with the nearest role that is. */
  async unknownRoles(
    database: Queryable,
    names: readonly string[],
  ): Promise<readonly ErrorDetail[]> {
    if (names.length === 0) return []
    const known = await listRoleNames(database)
    return names.flatMap((name, index) =>
      known.includes(name)
        ? []
        : [
            {
              path: `roles[${String(index)}]`,
              message: `There is no role "${name}"`,
              suggestion: suggest(name, known),
            },
          ],
    )
  }
}
