import { Injectable } from '@nestjs/common'
import type { Scope } from '@olytix/auth-guards'
import { type ErrorDetail, suggest } from '@olytix/errors'
import { Database, type Queryable, violates } from '@olytix/postgres'
import type { Origin } from '../audit/origin.js'
import {
  deleteRole,
  findRole,
  listRoleNames,
  listRoleScopes,
  listRoles,
  putRole,
  type RoleRow,
  takeRoleFromEndedKeys,
} from './roles.queries.js'
import { UserTrail } from './user-trail.js'
import { lastAdmin, roleBuiltIn, roleInUse, roleNotFound } from './users.errors.js'
import { countAdmins, lockAdmins } from './users.queries.js'

/** What a role shall be. */
export interface WantedRole {
  readonly name: string
  readonly scopes: Scope[]
  readonly description: string
}

/** Roles: named sets of scopes, which policies refer to by name. */
@Injectable()
export class RolesService {
  constructor(
    private readonly database: Database,
    private readonly trail: UserTrail,
  ) {}

  /** By name. @returns one page and, unless it is the last, the name to go on from */
  async listRoles(
    pageSize: number,
    afterName: string | null,
  ): Promise<{ readonly roles: readonly RoleRow[]; readonly nextName: string | null }> {
    const rows = await listRoles(this.database, { afterName, limit: pageSize + 1 })
    const roles = rows.slice(0, pageSize)
    return { roles, nextName: rows.length > pageSize ? (roles.at(-1)?.name ?? null) : null }
  }

  /** @throws AppError NOT_FOUND */
  async getRole(name: string): Promise<RoleRow> {
    const role = await findRole(this.database, name)
    if (!role) throw roleNotFound()
    return role
  }

  /**
   * Makes a role or replaces a custom one. Whoever has it gains or loses scopes at once.
   * @throws AppError CONFLICT for one that comes with the product, or when no admin would be left
   */
  async putRole(
    wanted: WantedRole,
    origin: Origin,
  ): Promise<{ readonly role: RoleRow; readonly created: boolean }> {
    return this.database.transaction((transaction) =>
      this.keepingAnAdmin(transaction, async () => {
        const before = await findRole(transaction, wanted.name)
        const role = await putRole(transaction, { ...wanted, at: this.trail.now() })
        if (!role) throw roleBuiltIn(wanted.name)
        const data = { before: before ? describe(before) : null, after: describe(role) }
        const what = { type: 'role_changed', id: role.name, data } as const
        await this.trail.recordRoleChange(transaction, what, origin)
        return { role, created: before === undefined }
      }),
    )
  }

  /** @throws AppError NOT_FOUND; CONFLICT for one that comes with the product or that a user or a living key has */
  async deleteRole(name: string, origin: Origin): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const before = await findRole(transaction, name)
      if (!before) throw roleNotFound()
      if (before.built_in) throw roleBuiltIn(name)
      await takeRoleFromEndedKeys(transaction, name, this.trail.now())
      try {
        await deleteRole(transaction, name)
      } catch (error) {
        if (violates(error, 'user_roles__role_name') || violates(error, 'key_roles__role_name')) {
          throw roleInUse(name)
        }
        throw error
      }
      const data = { before: describe(before) }
      await this.trail.recordRoleChange(
        transaction,
        { type: 'role_deleted', id: name, data },
        origin,
      )
    })
  }

  /** Scopes of each role that there is; nobody deletes one before the caller's transaction ends. */
  async scopesByRole(transaction: Queryable): Promise<ReadonlyMap<string, readonly Scope[]>> {
    const rows = await listRoleScopes(transaction)
    return new Map(rows.map(({ name, scopes }) => [name, scopes]))
  }

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

  /** Whether somebody with the scope admin has an account, disabled or not. */
  async hasAdmin(database: Queryable): Promise<boolean> {
    return (await countAdmins(database)).all > 0
  }

  /** Until the transaction ends, nobody else can pass here: what `hasAdmin` says then stays true. */
  lockAdmins(transaction: Queryable): Promise<void> {
    return lockAdmins(transaction)
  }

  /**
   * Makes a change that may take admins away, one such change after the other.
   * @throws AppError CONFLICT when it would leave no active admin
   */
  async keepingAnAdmin<T>(transaction: Queryable, change: () => Promise<T>): Promise<T> {
    await lockAdmins(transaction)
    const before = await countAdmins(transaction)
    const result = await change()
    const after = await countAdmins(transaction)
    if (before.active > 0 && after.active === 0) throw lastAdmin()
    return result
  }
}

function describe({ scopes, description }: RoleRow): Readonly<Record<string, unknown>> {
  return { scopes, description }
}
