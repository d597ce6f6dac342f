/** Scopes of the product. `admin` implies the others; `write` does not imply `read`. */
export type Scope = 'read' | 'write' | 'admin'

/** A value that row-level policies may compare with. */
export type AttributeValue = string | number | boolean | readonly (string | number | boolean)[]

/** Who makes a request, as identity knows them at this moment. Deeply frozen: it is shared and cached. */
export interface Principal {
  /** `usr_…` or `key_…`. */
  readonly id: string
  readonly kind: 'user' | 'api_key'
  /** Of a user; null for a key. */
  readonly email: string | null
  readonly name: string
  readonly roles: readonly string[]
  /** Effective scopes, implied ones included. */
  readonly scopes: readonly Scope[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** When the credential ends by itself. */
  readonly expiresAt: Date | null
}
