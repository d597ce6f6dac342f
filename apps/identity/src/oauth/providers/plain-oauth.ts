import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  Configuration,
  type CustomFetch,
  customFetch,
  fetchProtectedResource,
} from 'openid-client'
import { z } from 'zod'
import type { PlainProtocol, ProviderSettings } from '../provider-settings.js'
import { profileOf } from './person.js'
import {
  FINISH_WITHIN_MS,
  type Provider,
  type ProviderContext,
  type ProviderProfile,
  type SignInReply,
  type SignInRequest,
} from './provider.js'
import { ProviderMistrusted, ProviderUnreachable } from './provider-errors.js'
import {
  callbackAddress,
  clientMetadata,
  extensionsFor,
  requestParameters,
} from './sign-in-messages.js'

/** A number that JSON cannot hold exactly would be two people's. */
const subjectShape = z.union([z.string().regex(/^[\x20-\x7e]{1,255}$/), z.int().positive()])
const userShape = z.record(z.string(), z.unknown())
const emailsShape = z.array(
  z.looseObject({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
)

/** A provider without ID tokens: who the access token belongs to is what its API says. */
export class PlainOAuthProvider implements Provider {
  constructor(
    private readonly settings: ProviderSettings,
    private readonly protocol: PlainProtocol,
    private readonly context: ProviderContext,
  ) {}

  async authorizationUrl(request: SignInRequest): Promise<URL> {
    const parameters = await requestParameters(request, this.settings.scopes)
    return buildAuthorizationUrl(
      this.configuration(this.context.fetchWithin(FINISH_WITHIN_MS)),
      parameters,
    )
  }

  async finish(reply: SignInReply): Promise<ProviderProfile> {
    const configuration = this.configuration(this.context.fetchWithin(FINISH_WITHIN_MS))
    // There is no issuer to compare `iss` with: against mix-up each provider has its own callback address.
    const parameters = { ...reply.parameters, iss: undefined }
    const tokens = await authorizationCodeGrant(
      configuration,
      callbackAddress({ ...reply, parameters }),
      { expectedState: reply.state, pkceCodeVerifier: reply.codeVerifier },
    )
    const read = (path: string): Promise<unknown> =>
      readResource(configuration, tokens.access_token, `${this.protocol.userinfoUrl}${path}`)
    return this.protocol.kind === 'github'
      ? githubProfile(this.protocol.issuer, read)
      : userinfoProfile(this.protocol.issuer, read)
  }

  private configuration(fetch: CustomFetch): Configuration {
    const { issuer, authorizeUrl, tokenUrl } = this.protocol
    const configuration = new Configuration(
      { issuer, authorization_endpoint: authorizeUrl, token_endpoint: tokenUrl },
      this.settings.clientId,
      clientMetadata(this.context.now()),
      ClientSecretPost(this.settings.clientSecret.reveal()),
    )
    for (const extend of extensionsFor(this.context.allowPrivateAddresses)) extend(configuration)
    configuration[customFetch] = fetch
    return configuration
  }
}

type Read = (path: string) => Promise<unknown>

async function userinfoProfile(issuer: string, read: Read): Promise<ProviderProfile> {
  const user = parse(userShape, await read(''))
  const subject = String(parse(subjectShape, user['sub'] ?? user['id']))
  const isVerified = (claims: Readonly<Record<string, unknown>>): boolean =>
    claims['email_verified'] === true
  return profileOf({ issuer, subject, sources: [user], isVerified })
}

/** GitHub's own words: a number for the person, and the proved addresses under a path of their own. */
async function githubProfile(issuer: string, read: Read): Promise<ProviderProfile> {
  const user = parse(userShape, await read(''))
  const subject = String(parse(z.int().positive(), user['id']))
  const emails = parse(emailsShape, await read('/emails'))
  const primary = emails.find((each) => each.primary)
  const { email: _shown, ...rest } = user
  const proved = { ...rest, ...(primary ? { email: primary.email } : {}) }
  return profileOf({
    issuer,
    subject,
    sources: [proved],
    isVerified: () => primary?.verified === true,
  })
}

async function readResource(
  configuration: Configuration,
  accessToken: string,
  address: string,
): Promise<unknown> {
  const headers = new Headers({ accept: 'application/json' })
  const url = new URL(address)
  const response = await fetchProtectedResource(
    configuration,
    accessToken,
    url,
    'GET',
    undefined,
    headers,
  )
  if (!response.ok) throw new ProviderMistrusted('its API refuses its own access token')
  const content: unknown = await response.json().catch(() => undefined)
  if (content === undefined) throw new ProviderUnreachable('an answer that is no JSON')
  return content
}

function parse<T>(shape: z.ZodType<T>, content: unknown): T {
  const parsed = shape.safeParse(content)
  if (!parsed.success) throw new ProviderMistrusted('its API describes a person in another form')
  return parsed.data
}
