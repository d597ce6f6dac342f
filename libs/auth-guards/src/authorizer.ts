import type { Credential } from './presented-credential.js'
import type { Principal, Scope } from './principal.js'

/** What a guard asks: may the bearer of this credential do this? */
export interface AuthorizeQuestion {
  readonly credential: Credential
  /** All of them are required; empty asks only who this is. */
  readonly requiredScopes: readonly Scope[]
  /** For the audit trail: `POST /api/v1/query`. */
  readonly resource: string
  readonly clientIp: string
  readonly requestId: string
  /** Skip every memory of earlier answers. */
  readonly fresh?: boolean
}

/** A credential's own limit, and what a request found of it. */
export interface RateLimit {
  readonly requests: number
  readonly perSeconds: number
  readonly remaining: number
  /** Until all requests are allowed again, in milliseconds. */
  readonly resetAfterMs: number
}

/**
 * `unidentified`: nobody's credential, or one that no longer works. `refused`: known, but not for this.
 * The reason is for log and audit trail only.
 */
export type Verdict =
  | { readonly decision: 'allow'; readonly principal: Principal }
  | { readonly decision: 'unidentified'; readonly reason: string }
  | { readonly decision: 'refused'; readonly reason: string; readonly principal: Principal | null }
  | {
      readonly decision: 'rate_limited'
      readonly reason: string
      /** Null if it is not told. */
      readonly limit: RateLimit | null
    }

/** Decides. `CachingAuthorizer` remembers whom `GrpcAuthorizer` asked identity about; tests use `FakeAuthorizer`. */
export interface Authorizer {
  /** @throws AppError UNAVAILABLE when it cannot be decided: the guard then fails closed. */
  authorize(question: AuthorizeQuestion): Promise<Verdict>
}

/** Injection token of the Authorizer. */
export const AUTHORIZER = Symbol('Authorizer')
