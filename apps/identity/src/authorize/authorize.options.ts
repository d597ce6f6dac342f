export interface AuthorizeOptions {
  readonly now: () => Date
  /** SHA-256 of what other services present; `undefined` trusts every caller, which the configuration allows on loopback alone. */
  readonly serviceTokenHash: Buffer | undefined
}

export const AUTHORIZE_OPTIONS = Symbol('AuthorizeOptions')
