import type { AttributeValue, Scope } from '@olytix/auth-guards'
import { z } from 'zod'
import { type Attributes, attributeValue } from '../users/attributes.js'
import type { ClaimsMapping } from './provider-settings.js'

/** What a person may do and which rows they see. */
export interface Grants {
  /** In the order of their names. */
  readonly roles: readonly string[]
  readonly attributes: Attributes
}

/** Scopes of each role that there is. */
export type KnownRoles = ReadonlyMap<string, readonly Scope[]>

const texts = z.union([z.string().transform((text) => [text]), z.array(z.unknown())])

/**
 * What somebody has after signing in. A role that the mapping can give comes from the claims alone, so it goes when
 * its claim is gone; other roles stay. The same for attributes: where a claim is missing or no attribute, the attribute
 * goes, and the policies that need it deny. Roles that do not exist are left out, and so are those that hold the scope
 * admin unless the mapping allows them: they are neither given nor taken.
 */
export function mapClaims(
  claims: Readonly<Record<string, unknown>>,
  present: Grants,
  { mapping, known }: { readonly mapping: ClaimsMapping; readonly known: KnownRoles },
): Grants {
  const { roles: rolesMapping, attributes: names, allowAdmin } = mapping
  const mappable = grantable(Object.values(rolesMapping?.map ?? {}).flat(), known, allowAdmin)
  const mapped = rolesMapping ? mappedRoles(claims, rolesMapping) : []
  const kept = present.roles.filter((role) => !mappable.includes(role))
  const given = mapped.filter((role) => mappable.includes(role))
  return {
    roles: [...new Set([...kept, ...given])].sort(),
    attributes: {
      ...without(present.attributes, Object.keys(names)),
      ...fromClaims(claims, names),
    },
  }
}

/** Of these roles, those that exist and that a provider may lead to. */
export function grantable(
  roles: readonly string[],
  known: KnownRoles,
  allowAdmin: boolean,
): readonly string[] {
  return roles.filter((role) => {
    const scopes = known.get(role)
    return scopes !== undefined && (allowAdmin || !scopes.includes('admin'))
  })
}

function mappedRoles(
  claims: Readonly<Record<string, unknown>>,
  { from, map }: NonNullable<ClaimsMapping['roles']>,
): readonly string[] {
  const values = texts.safeParse(own(claims, from)).data ?? []
  return values.flatMap((value) =>
    typeof value === 'string' && Object.hasOwn(map, value) ? (map[value] ?? []) : [],
  )
}

function fromClaims(
  claims: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, string>>,
): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([attribute, claim]) => {
      const value = attributeValue.safeParse(own(claims, claim))
      return value.success ? [[attribute, value.data]] : []
    }),
  )
}

/** Claims come from outside: nothing that every object inherits is one. */
function own(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

function without(attributes: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)))
}
