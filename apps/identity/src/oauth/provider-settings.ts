import type { Secret } from '@olytix/config'

/** How what a provider says of a person becomes rights here. */
export interface ClaimsMapping {
  /** Values of the claim `from` that give roles. */
  readonly roles?: {
    readonly from: string
    readonly map: Readonly<Record<string, readonly string[]>>
  }
  /** Claim by name of attribute. */
  readonly attributes: Readonly<Record<string, string>>
  /** Whether the map may give roles that hold `admin`. */
  readonly allowAdmin: boolean
}

/** A provider that speaks OpenID Connect: found by its issuer, believed by its signed ID tokens. */
export interface OpenIdProtocol {
  readonly kind: 'oidc'
  /** As configured; it has the form of the provider's own `issuer`. */
  readonly issuer: string
  /** What the discovery document says otherwise; these win. */
  readonly authorizeUrl?: string
  readonly tokenUrl?: string
  readonly jwksUrl?: string
  readonly userinfoUrl?: string
}

/** A provider that speaks OAuth 2.0 only: believed by what its API says of the token's owner. */
export interface PlainProtocol {
  readonly kind: 'github' | 'oauth'
  /** The name space of its subjects. */
  readonly issuer: string
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly userinfoUrl: string
}

/** One entry of `security.oauth.providers`, with what its preset adds. */
export interface ProviderSettings {
  readonly name: string
  readonly displayName: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly scopes: readonly string[]
  readonly protocol: OpenIdProtocol | PlainProtocol
  /** Domains, in lower case, whose people get an account at their first sign-in. Empty: nobody does. */
  readonly allowedDomains: readonly string[]
  /** Roles of an account made at the first sign-in. */
  readonly defaultRoles: readonly string[]
  readonly claims: ClaimsMapping
}

/** The block `security.oauth` of a project. */
export interface OAuthSettings {
  /** Where a one-time code may be sent: compared as text, but for the port of loopback addresses. */
  readonly redirectUris: readonly string[]
  readonly providers: readonly ProviderSettings[]
}
