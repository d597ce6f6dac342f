import type { CustomFetch } from 'openid-client'
import { OidcProvider } from '../../src/oauth/providers/oidc.js'
import type { ProviderProfile } from '../../src/oauth/providers/provider.js'
import type { Lies, LyingProvider } from './lying-provider.js'
import { aRequest, settingsFor } from './provider-client.js'

interface Dress {
  /** As its discovery document has it. */
  readonly issuer: string
  /** The issuer of its ID tokens. */
  readonly signsAs: string
  /** What its ID tokens say besides. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** Lies that make a provider on loopback one that everybody knows; it tells all in the ID token. */
export function dressedAs({ issuer, signsAs, claims }: Dress): Lies {
  const { origin } = new URL(signsAs)
  return {
    discovery: (metadata) => ({
      ...metadata,
      issuer,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
      userinfo_endpoint: undefined,
    }),
    claims: (said) => ({ ...said, iss: signsAs, ...claims }),
  }
}

/** A sign-in at a provider's public addresses, which lead to the dressed one on loopback. */
export async function signInAtPublic(
  issuer: string,
  provider: LyingProvider,
): Promise<ProviderProfile> {
  const toLoopback: CustomFetch = (url, options) => {
    const path = url.startsWith(issuer) ? url.slice(issuer.length) : new URL(url).pathname
    return fetch(`${provider.issuer}${path}`, { ...options, body: options.body ?? null })
  }
  const client = new OidcProvider(
    settingsFor(issuer),
    { kind: 'oidc', issuer },
    { now: () => new Date(), allowPrivateAddresses: false, fetchWithin: () => toLoopback },
  )
  const request = aRequest()
  const url = await client.authorizationUrl(request)
  const parameters = await provider.signIn(new URL(`${provider.issuer}/authorize${url.search}`))
  return client.finish({ ...request, parameters })
}
