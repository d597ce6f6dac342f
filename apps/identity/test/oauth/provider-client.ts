import { randomBytes } from 'node:crypto'
import { Secret } from '@olytix/config'
import { AppError } from '@olytix/errors'
import type { ProviderSettings } from '../../src/oauth/provider-settings.js'
import type { ProviderProfile, SignInRequest } from '../../src/oauth/providers/provider.js'
import { Providers, type ProvidersOptions } from '../../src/oauth/providers/providers.js'
import { CLIENT } from './lying-provider.js'

export const CALLBACK_URL = 'http://localhost:8000/api/v1/auth/oauth/company/callback'

/** An entry for a provider on loopback. */
export function settingsFor(
  issuer: string,
  changes: Partial<ProviderSettings> = {},
): ProviderSettings {
  return {
    name: 'company',
    displayName: 'The company',
    clientId: CLIENT.id,
    clientSecret: new Secret(CLIENT.secret),
    scopes: ['openid', 'email', 'profile'],
    protocol: { kind: 'oidc', issuer },
    allowedDomains: [],
    defaultRoles: [],
    claims: { attributes: {}, allowAdmin: false },
    ...changes,
  }
}

export function providersFor(
  settings: ProviderSettings | readonly ProviderSettings[],
  changes: Partial<ProvidersOptions> = {},
): Providers {
  return new Providers({
    providers: [settings].flat(),
    now: () => new Date(),
    allowPrivateAddresses: true,
    ...changes,
  })
}

export function aRequest(): SignInRequest {
  const text = (): string => randomBytes(32).toString('base64url')
  return { callbackUrl: CALLBACK_URL, state: text(), nonce: text(), codeVerifier: text() }
}

/** Somebody who signs in at a provider's pages and comes back with the parameters it gave. */
export type Visitor = (authorizationUrl: URL) => Promise<Record<string, string>>

/** A whole sign-in, from our first answer to the profile. */
export async function signIn(
  providers: Providers,
  visit: Visitor,
  changes: Partial<SignInRequest> = {},
): Promise<ProviderProfile> {
  const request = aRequest()
  const url = await providers.authorizationUrl('company', request)
  const parameters = await visit(url)
  return providers.finish('company', { ...request, ...changes, parameters })
}

/** The error with which something is refused. */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error('was not refused', { cause: error })
  return error
}
