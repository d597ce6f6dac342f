import type { Providers } from './providers/providers.js'

/** Settings of signing in with a provider. */
export interface OAuthOptions {
  readonly now: () => Date
  readonly providers: Providers
  /** Where one-time codes may be sent. */
  readonly redirectUris: readonly string[]
}

export const OAUTH_OPTIONS = Symbol('OAuthOptions')
