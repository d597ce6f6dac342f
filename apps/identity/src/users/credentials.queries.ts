import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'

const credentialsRow = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  password_hash: z.string().nullable(),
  credentials_epoch: z.int(),
  has_ended: z.boolean(),
})

/** What a user signs in with. `has_ended`: disabled; deleted ones are not found. */
export type CredentialsRow = z.output<typeof credentialsRow>

const columns = sql`
  id, email, name, password_hash, credentials_epoch, disabled_at is not null as has_ended`

export function findCredentialsByEmail(
  database: Queryable,
  emailCanonical: string,
): Promise<CredentialsRow | undefined> {
  return database.maybeOne(
    credentialsRow,
    sql`
      select ${columns}
      from users
      where email_canonical = ${emailCanonical} and deleted_at is null`,
  )
}

export function findCredentialsById(
  database: Queryable,
  id: string,
): Promise<CredentialsRow | undefined> {
  return database.maybeOne(
    credentialsRow,
    sql`select ${columns} from users where id = ${id} and deleted_at is null`,
  )
}

/**
 * Sets a password and enters the next epoch, unless the user has ended or, if `epoch` is given, left it.
 * @param provenEmail address that its owner has proved hereby
 * @returns whether it did
 */
export async function setPassword(
  transaction: Queryable,
  password: {
    readonly userId: string
    readonly epoch: number | null
    readonly passwordHash: string
    readonly provenEmail: string | null
    readonly at: Date
  },
): Promise<boolean> {
  const changed = await transaction.execute(sql`
    update users
    set password_hash = ${password.passwordHash},
      credentials_epoch = credentials_epoch + 1,
      email_verified = email_verified or email_canonical = coalesce(${password.provenEmail}, ''),
      updated_at = ${password.at}
    where id = ${password.userId} and disabled_at is null and deleted_at is null
      and (${password.epoch}::integer is null or credentials_epoch = ${password.epoch})`)
  return changed > 0
}

/** Replaces a hash by one of the same password; nothing else changes. */
export async function replaceHash(
  database: Queryable,
  { userId, from, to }: { readonly userId: string; readonly from: string; readonly to: string },
): Promise<void> {
  await database.execute(sql`
    update users set password_hash = ${to} where id = ${userId} and password_hash = ${from}`)
}
