import { type Queryable, sql } from '@olytix/postgres'
import { z } from 'zod'
import { storedAttributes } from '../users/attributes.js'

const accountRow = z
  .object({
    id: z.string(),
    credentials_epoch: z.int(),
    disabled: z.boolean(),
    email_verified: z.boolean(),
    other_identity: z.boolean(),
    roles: z.array(z.string()),
    attributes: storedAttributes,
  })
  .transform((row) => ({
    id: row.id,
    epoch: row.credentials_epoch,
    isDisabled: row.disabled,
    isVerified: row.email_verified,
    hasOtherIdentity: row.other_identity,
    roles: row.roles,
    attributes: row.attributes,
  }))

/** An account that somebody from a provider may sign in to. */
export type AccountRow = z.output<typeof accountRow>

/** Somebody at a provider. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

const columns = ({ issuer, subject }: Identity): ReturnType<typeof sql> => sql`
  users.id, users.credentials_epoch, users.disabled_at is not null as disabled,
  users.email_verified, users.attributes,
  array(
    select role_name from user_roles where user_roles.user_id = users.id order by role_name
  ) as roles,
  exists (
    select
    from identities as other
    where other.user_id = users.id and other.issuer = ${issuer} and other.subject <> ${subject}
  ) as other_identity`

/** The account that is linked to somebody, unless it has been deleted. Locks it until the transaction ends. */
export function findLinkedAccount(
  transaction: Queryable,
  identity: Identity,
): Promise<AccountRow | undefined> {
  return transaction.maybeOne(
    accountRow,
    sql`
      select ${columns(identity)}
      from identities
      join users on users.id = identities.user_id
      where identities.issuer = ${identity.issuer} and identities.subject = ${identity.subject}
        and users.deleted_at is null
      for no key update of users`,
  )
}

/** The account with an address. Locks it until the transaction ends. */
export function findAccountByEmail(
  transaction: Queryable,
  emailCanonical: string,
  identity: Identity,
): Promise<AccountRow | undefined> {
  return transaction.maybeOne(
    accountRow,
    sql`
      select ${columns(identity)}
      from users
      where users.email_canonical = ${emailCanonical} and users.deleted_at is null
      for no key update`,
  )
}

/** Links an account; a link to an account that has been deleted gives way. */
export async function putIdentity(
  transaction: Queryable,
  { issuer, subject }: Identity,
  link: { readonly userId: string; readonly at: Date },
): Promise<void> {
  await transaction.execute(sql`
    insert into identities (issuer, subject, user_id, linked_at)
    values (${issuer}, ${subject}, ${link.userId}, ${link.at})
    on conflict (issuer, subject) do update
    set user_id = excluded.user_id, linked_at = excluded.linked_at`)
}
