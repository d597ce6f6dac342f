import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetch,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client'
import { z } from 'zod'
import type { OpenIdProtocol, ProviderSettings } from '../provider-settings.js'
import { addressProof } from './address-proof.js'
import { checkIdToken } from './id-token.js'
import { profileOf } from './person.js'
import {
  FINISH_WITHIN_MS,
  type Provider,
  type ProviderContext,
  type ProviderProfile,
  type SignInReply,
  type SignInRequest,
} from './provider.js'
import { ProviderUnreachable, toUnreachable } from './provider-errors.js'
import { usableKeys } from './provider-keys.js'
import {
  callbackAddress,
  clientMetadata,
  extensionsFor,
  requestParameters,
} from './sign-in-messages.js'

const DISCOVERY_REUSED_MS = 60_000
const DISCOVERY_WITHIN_MS = 5000

/** Any OpenID Connect provider, found by its issuer. */
export class OidcProvider implements Provider {
  private discovered: { readonly configuration: Configuration; readonly at: number } | undefined
  private discovering: Promise<Configuration> | undefined

  constructor(
    private readonly settings: ProviderSettings,
    private readonly protocol: OpenIdProtocol,
    private readonly context: ProviderContext,
  ) {}

  async authorizationUrl(request: SignInRequest): Promise<URL> {
    const configuration = await this.recentConfiguration()
    const parameters = await requestParameters(request, this.settings.scopes)
    return buildAuthorizationUrl(configuration, { ...parameters, nonce: request.nonce })
  }

  /** Reads metadata and keys anew, so that a provider may change its keys at any moment. */
  async finish(reply: SignInReply): Promise<ProviderProfile> {
    const configuration = await this.discover(this.context.fetchWithin(FINISH_WITHIN_MS))
    const tokens = await authorizationCodeGrant(configuration, callbackAddress(reply), {
      expectedState: reply.state,
      expectedNonce: reply.nonce,
      pkceCodeVerifier: reply.codeVerifier,
      idTokenExpected: true,
    })
    const claims = checkIdToken(
      {
        idToken: tokens.id_token ?? '',
        claims: tokens.claims(),
        accessToken: tokens.access_token,
      },
      this.settings.clientId,
      this.context.now(),
    )
    const sources: Record<string, unknown>[] = [claims]
    if (configuration.serverMetadata().userinfo_endpoint !== undefined) {
      sources.push(await fetchUserInfo(configuration, tokens.access_token, claims.sub))
    }
    const isVerified = addressProof(claims.iss)
    return profileOf({ issuer: claims.iss, subject: claims.sub, sources, isVerified })
  }

  /** Of many sign-ins that begin at once only one asks, also while the provider does not answer. */
  private async recentConfiguration(): Promise<Configuration> {
    const age = this.context.now().getTime() - (this.discovered?.at ?? 0)
    if (this.discovered && age >= 0 && age < DISCOVERY_REUSED_MS) {
      return this.discovered.configuration
    }
    this.discovering ??= this.discover(this.context.fetchWithin(DISCOVERY_WITHIN_MS)).finally(
      () => {
        this.discovering = undefined
      },
    )
    const configuration = await this.discovering
    this.discovered = { configuration, at: this.context.now().getTime() }
    return configuration
  }

  private async discover(fetch: CustomFetch): Promise<Configuration> {
    const issuer = new URL(this.protocol.issuer)
    const configuration = await discovery(
      issuer,
      this.settings.clientId,
      clientMetadata(this.context.now()),
      clientAuthentication(this.settings),
      {
        [customFetch]: withOverrides(fetch, this.protocol),
        execute: [enableNonRepudiationChecks, ...extensionsFor(this.context.allowPrivateAddresses)],
      },
    ).catch((error: unknown) => {
      throw toUnreachable(error)
    })
    const metadata = configuration.serverMetadata()
    // openid-client lets some hosts answer with another issuer.
    if (new URL(metadata.issuer).origin !== issuer.origin) {
      throw new ProviderUnreachable('its discovery document is of another issuer')
    }
    if (!metadata.token_endpoint || !metadata.authorization_endpoint || !metadata.jwks_uri) {
      throw new ProviderUnreachable('its discovery document lacks an endpoint')
    }
    configuration[customFetch] = withUsableKeys(fetch, metadata.jwks_uri)
    return configuration
  }
}

/** In the body where the provider takes that; else by RFC 6749 §2.3.1, whose encoding of secrets not all read alike. */
function clientAuthentication({ clientSecret }: ProviderSettings): ClientAuth {
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const authenticate = methods.includes('client_secret_post')
      ? ClientSecretPost(clientSecret.reveal())
      : ClientSecretBasic(clientSecret.reveal())
    authenticate(server, client, body, headers)
  }
}

const jsonObject = z.record(z.string(), z.unknown())
const keySet = z.looseObject({ keys: z.array(z.unknown()) })

/** A fetch for discovery documents only: what is configured wins over what they say. */
function withOverrides(fetch: CustomFetch, protocol: OpenIdProtocol): CustomFetch {
  const overrides = Object.entries({
    authorization_endpoint: protocol.authorizeUrl,
    token_endpoint: protocol.tokenUrl,
    jwks_uri: protocol.jwksUrl,
    userinfo_endpoint: protocol.userinfoUrl,
  }).filter(([, value]) => value !== undefined)
  return async (url, options) => {
    const response = await fetch(url, options)
    const document = await readJson(response, jsonObject)
    return Response.json({ ...document, ...Object.fromEntries(overrides) })
  }
}

/** A fetch that leaves out the keys that must not verify anything. */
function withUsableKeys(fetch: CustomFetch, jwksUrl: string): CustomFetch {
  const address = new URL(jwksUrl).href
  return async (url, options) => {
    const response = await fetch(url, options)
    if (url !== address) return response
    const { keys } = await readJson(response, keySet)
    return Response.json({ keys: usableKeys(keys) })
  }
}

async function readJson<T>(response: Response, shape: z.ZodType<T>): Promise<T> {
  const content: unknown = response.ok ? await response.json().catch(() => undefined) : undefined
  const parsed = shape.safeParse(content)
  if (!parsed.success) throw new ProviderUnreachable('an answer of another form')
  return parsed.data
}
