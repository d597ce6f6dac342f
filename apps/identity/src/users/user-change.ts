import type { Attributes } from './attributes.js'
import { canonicalEmail } from './email.js'
import type { ChangedUserRow, UserRow } from './users.queries.js'

/** What shall change about an account: what is not there stays. */
export interface UserChanges {
  readonly email?: string | undefined
  readonly name?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly attributes?: Attributes | undefined
  readonly disabled?: boolean | undefined
  readonly emailVerified?: boolean | undefined
}

/** An account after a change. An address that an admin types is unproved, unless they say otherwise. */
export function changedUser(before: UserRow, changes: UserChanges, at: Date): ChangedUserRow {
  const email = changes.email ?? before.email
  const emailCanonical = canonicalEmail(email) ?? before.email_canonical
  const wasProved = before.email_verified && emailCanonical === before.email_canonical
  const disabled = changes.disabled ?? before.disabled
  return {
    id: before.id,
    email,
    emailCanonical,
    emailVerified: changes.emailVerified ?? wasProved,
    name: changes.name ?? before.name,
    attributes: changes.attributes ?? before.attributes,
    disabled,
    endsSessions: disabled && !before.disabled,
    at,
  }
}

/** An account as the audit trail keeps it. */
export function describeUser(user: UserRow): Readonly<Record<string, unknown>> {
  const { email, email_verified, name, roles, attributes, disabled } = user
  return { email, email_verified, name, roles, attributes, disabled }
}

/** Only what differs, before and after. */
export function changedParts(
  before: UserRow,
  after: UserRow,
): { readonly before: object; readonly after: object } {
  const [was, is] = [describeUser(before), describeUser(after)]
  const names = Object.keys(was).filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  )
  const pick = (from: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(names.map((name) => [name, from[name]]))
  return { before: pick(was), after: pick(is) }
}
