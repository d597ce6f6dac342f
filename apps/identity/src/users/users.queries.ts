import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

export interface NewUserRow {
  readonly id: string
  readonly email: string
  readonly emailCanonical: string
  readonly name: string
  readonly passwordHash: string | null
  readonly roles: readonly string[]
  readonly createdAt: Date
}

/** Any fixed number of our own: two processes that start at once make the first admin one after the other. */
const FIRST_ADMIN_LOCK = 6_158_270_443

export async function lockFirstAdmin(transaction: Queryable): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(${FIRST_ADMIN_LOCK})`)
}

export async function countAdmins(database: Queryable): Promise<number> {
  const row = await database.maybeOne(
    z.object({ count: z.int() }),
    sql`
      select count(distinct users.id)::int as count
      from users
      join user_roles on user_roles.user_id = users.id
      join roles on roles.name = user_roles.role_name
      where users.deleted_at is null
        and 'admin' = any (roles.scopes)`,
  )
  return row?.count ?? 0
}

export async function insertUser(transaction: Queryable, user: NewUserRow): Promise<void> {
  await transaction.execute(sql`
    with new_user as (
      insert into users (id, email, email_canonical, name, password_hash, created_at, updated_at)
      values (
        ${user.id}, ${user.email}, ${user.emailCanonical}, ${user.name}, ${user.passwordHash},
        ${user.createdAt}, ${user.createdAt}
      )
      returning id
    )
    insert into user_roles (user_id, role_name)
    select new_user.id, role_name
    from new_user
    cross join unnest(${user.roles}::text[]) as role_name`)
}
