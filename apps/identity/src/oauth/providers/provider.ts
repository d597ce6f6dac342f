import type { CustomFetch } from 'openid-client'

/** Who signed in, by the word of a provider that was checked. */
export interface ProviderProfile {
  /** The name space of `subject`: together they are the person. */
  readonly issuer: string
  readonly subject: string
  /** As the provider writes it, but certainly an address. */
  readonly email?: string
  /** Whether the provider itself has proved that the address is this person's. */
  readonly emailVerified: boolean
  readonly name?: string
  /** Everything that the provider said, for `claims:`. `email` and `email_verified` come from one source. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** What the person is sent to the provider with. */
export interface SignInRequest {
  readonly callbackUrl: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** What the provider sent the person back with, besides the request it belongs to. */
export interface SignInReply extends SignInRequest {
  readonly parameters: {
    readonly code?: string | undefined
    readonly state?: string | undefined
    readonly iss?: string | undefined
    readonly error?: string | undefined
  }
}

/** One kind of provider. Its errors are those of `toRefusal`. */
export interface Provider {
  authorizationUrl(request: SignInRequest): Promise<URL>
  finish(reply: SignInReply): Promise<ProviderProfile>
}

/** What providers need of the world. */
export interface ProviderContext {
  readonly now: () => Date
  readonly allowPrivateAddresses: boolean
  /** A fetch whose requests together take no longer than this. */
  readonly fetchWithin: (totalMs: number) => CustomFetch
}

/** All requests of one sign-in together, in milliseconds. Less than the callers' deadline. */
export const FINISH_WITHIN_MS = 8000
