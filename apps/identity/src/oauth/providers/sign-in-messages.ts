import {
  allowInsecureRequests,
  calculatePKCECodeChallenge,
  type ClientMetadata,
  clockSkew,
  type Configuration,
} from 'openid-client'
import type { SignInReply, SignInRequest } from './provider.js'

/** The parameters that every authorisation request carries. PKCE with S256, always. */
export async function requestParameters(
  request: SignInRequest,
  scopes: readonly string[],
): Promise<Record<string, string>> {
  return {
    redirect_uri: new URL(request.callbackUrl).href,
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    state: request.state,
    code_challenge: await calculatePKCECodeChallenge(request.codeVerifier),
    code_challenge_method: 'S256',
  }
}

/** The address to which the provider sent the person back. */
export function callbackAddress({ callbackUrl, parameters }: SignInReply): URL {
  const url = new URL(callbackUrl)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}

/** Makes openid-client, which reads the system's clock, agree with ours. */
export function clientMetadata(now: Date): Partial<ClientMetadata> {
  return { [clockSkew]: Math.round((now.getTime() - Date.now()) / 1000) }
}

/**
 * Extensions of a configuration that may lead to private addresses: plain http. `createProviderFetch` still demands
 * https for public ones.
 */
export function extensionsFor(
  allowPrivateAddresses: boolean,
): readonly ((configuration: Configuration) => void)[] {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- only marked so to make it stand out
  return allowPrivateAddresses ? [allowInsecureRequests] : []
}
