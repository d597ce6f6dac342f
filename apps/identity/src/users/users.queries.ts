import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import { type Attributes, storedAttributes } from './attributes.js'

const userRow = z.object({
  id: z.string(),
  email: z.string(),
  email_canonical: z.string(),
  email_verified: z.boolean(),
  name: z.string(),
  roles: z.array(z.string()),
  attributes: storedAttributes,
  disabled: z.boolean(),
  password_set: z.boolean(),
  created_at: z.date(),
  last_login_at: z.date().nullable(),
})

/** An account as an administrator sees it. */
export type UserRow = z.output<typeof userRow>

const columns = sql`
  users.id, users.email, users.email_canonical, users.email_verified, users.name,
  array(
    select role_name from user_roles where user_roles.user_id = users.id order by role_name
  ) as roles,
  users.attributes, users.disabled_at is not null as disabled,
  users.password_hash is not null as password_set, users.created_at, users.last_login_at`

/** Any fixed number of our own: whoever may change who is an admin does so alone. */
const ADMINS_LOCK = 6_158_270_443

export async function lockAdmins(transaction: Queryable): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(${ADMINS_LOCK})`)
}

/** Accounts with the scope admin, and how many of them are not disabled. */
export async function countAdmins(
  database: Queryable,
): Promise<{ readonly all: number; readonly active: number }> {
  const row = await database.maybeOne(
    z.object({ all: z.int(), active: z.int() }),
    sql`
      select count(*)::int as all,
        count(*) filter (where users.disabled_at is null)::int as active
      from users
      where users.deleted_at is null and exists (
        select
        from user_roles
        join roles on roles.name = user_roles.role_name
        where user_roles.user_id = users.id and 'admin' = any (roles.scopes)
      )`,
  )
  return row ?? { all: 0, active: 0 }
}

export function findUser(database: Queryable, id: string): Promise<UserRow | undefined> {
  return database.maybeOne(
    userRow,
    sql`select ${columns} from users where users.id = ${id} and users.deleted_at is null`,
  )
}

/** Locks the account until the transaction ends. */
export function findUserForUpdate(
  transaction: Queryable,
  id: string,
): Promise<UserRow | undefined> {
  return transaction.maybeOne(
    userRow,
    sql`
      select ${columns}
      from users
      where users.id = ${id} and users.deleted_at is null
      for no key update`,
  )
}

/** Newest first, from the account before `beforeId` on. */
export function listUsers(
  database: Queryable,
  page: { readonly beforeId: string | null; readonly limit: number },
): Promise<UserRow[]> {
  return database.many(
    userRow,
    sql`
      select ${columns}
      from users
      where users.deleted_at is null
        and (${page.beforeId}::text is null or users.id < ${page.beforeId})
      order by users.id desc
      limit ${page.limit}`,
  )
}

export interface NewUserRow {
  readonly id: string
  readonly email: string
  readonly emailCanonical: string
  readonly emailVerified: boolean
  readonly name: string
  readonly passwordHash: string | null
  readonly roles: readonly string[]
  readonly attributes: Attributes
  readonly disabled: boolean
  readonly createdAt: Date
}

export async function insertUser(transaction: Queryable, user: NewUserRow): Promise<void> {
  await transaction.execute(sql`
    with new_user as (
      insert into users (
        id, email, email_canonical, email_verified, name, password_hash, attributes, created_at,
        updated_at, disabled_at
      )
      values (
        ${user.id}, ${user.email}, ${user.emailCanonical}, ${user.emailVerified}, ${user.name},
        ${user.passwordHash}, ${JSON.stringify(user.attributes)}, ${user.createdAt}, ${user.createdAt},
        ${user.disabled ? user.createdAt : null}
      )
      returning id
    )
    insert into user_roles (user_id, role_name)
    select new_user.id, role_name
    from new_user
    cross join unnest(${user.roles}::text[]) as role_name`)
}

export interface ChangedUserRow {
  readonly id: string
  readonly email: string
  readonly emailCanonical: string
  readonly emailVerified: boolean
  readonly name: string
  readonly attributes: Attributes
  readonly disabled: boolean
  /** Whether every sign-in ends with this change. */
  readonly endsSessions: boolean
  readonly at: Date
}

export async function updateUser(transaction: Queryable, user: ChangedUserRow): Promise<void> {
  await transaction.execute(sql`
    update users
    set email = ${user.email}, email_canonical = ${user.emailCanonical},
      email_verified = ${user.emailVerified}, name = ${user.name},
      attributes = ${JSON.stringify(user.attributes)}, updated_at = ${user.at},
      disabled_at = case when ${user.disabled} then coalesce(disabled_at, ${user.at}) end,
      credentials_epoch = credentials_epoch + ${user.endsSessions ? 1 : 0}
    where id = ${user.id}`)
}

export async function replaceUserRoles(
  transaction: Queryable,
  userId: string,
  roles: readonly string[],
): Promise<void> {
  await transaction.execute(sql`
    delete from user_roles where user_id = ${userId} and role_name <> all (${roles}::text[])`)
  await transaction.execute(sql`
    insert into user_roles (user_id, role_name)
    select ${userId}, role_name
    from unnest(${roles}::text[]) as role_name
    on conflict do nothing`)
}

/** The row stays, so that keys and events still name somebody; everything it could do with goes. */
export async function deleteUser(transaction: Queryable, id: string, at: Date): Promise<void> {
  await transaction.execute(sql`delete from user_roles where user_id = ${id}`)
  await transaction.execute(sql`
    update users
    set deleted_at = ${at}, updated_at = ${at}, password_hash = null, attributes = '{}',
      credentials_epoch = credentials_epoch + 1
    where id = ${id}`)
}
