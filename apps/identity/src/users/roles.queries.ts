import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

const roleRow = z.object({
  name: z.string(),
  scopes: z.array(z.enum(['read', 'write', 'admin'])),
  description: z.string(),
  built_in: z.boolean(),
  updated_at: z.date(),
})

/** A role. */
export type RoleRow = z.output<typeof roleRow>

const columns = sql`name, scopes, description, built_in, updated_at`

export async function listRoleNames(database: Queryable): Promise<string[]> {
  const rows = await database.many(
    z.object({ name: z.string() }),
    sql`select name from roles order by name`,
  )
  return rows.map(({ name }) => name)
}

/** Until the transaction ends, nobody deletes one of them. */
export function listRoleScopes(
  transaction: Queryable,
): Promise<Pick<RoleRow, 'name' | 'scopes'>[]> {
  return transaction.many(
    roleRow.pick({ name: true, scopes: true }),
    sql`select name, scopes from roles for key share`,
  )
}

/** By name, from the one after `afterName` on. */
export function listRoles(
  database: Queryable,
  page: { readonly afterName: string | null; readonly limit: number },
): Promise<RoleRow[]> {
  return database.many(
    roleRow,
    sql`
      select ${columns}
      from roles
      where ${page.afterName}::text is null or name > ${page.afterName}
      order by name
      limit ${page.limit}`,
  )
}

export function findRole(database: Queryable, name: string): Promise<RoleRow | undefined> {
  return database.maybeOne(roleRow, sql`select ${columns} from roles where name = ${name}`)
}

/** Makes a role or replaces one; not one that comes with the product. @returns it, unless it was left alone */
export function putRole(
  transaction: Queryable,
  role: Pick<RoleRow, 'name' | 'scopes' | 'description'> & { readonly at: Date },
): Promise<RoleRow | undefined> {
  return transaction.maybeOne(
    roleRow,
    sql`
      insert into roles (name, scopes, description, created_at, updated_at)
      values (${role.name}, ${role.scopes}, ${role.description}, ${role.at}, ${role.at})
      on conflict (name) do update
      set scopes = excluded.scopes, description = excluded.description,
        updated_at = excluded.updated_at
      where not roles.built_in
      returning ${columns}`,
  )
}

export async function deleteRole(transaction: Queryable, name: string): Promise<void> {
  await transaction.execute(sql`delete from roles where name = ${name} and not built_in`)
}

/** Takes a role from the keys that can never work again: what is over must not keep a role alive. */
export async function takeRoleFromEndedKeys(
  transaction: Queryable,
  name: string,
  now: Date,
): Promise<void> {
  await transaction.execute(sql`
    delete from key_roles
    using keys
    where key_roles.role_name = ${name}
      and keys.id = key_roles.key_id
      and (
        keys.revoked_at is not null or keys.expires_at <= ${now} or keys.rotated_out_at <= ${now}
      )`)
}
