import { isLoopback, Secret } from '@olytix/config'
import { strict } from '@olytix/config/yaml'
import { z } from 'zod'
import { ATTRIBUTE_NAME } from '../users/attributes.js'
import { GITHUB_USERINFO_URL, presetOf, type ProviderPreset } from './provider-presets.js'
import type {
  ClaimsMapping,
  OAuthSettings,
  OpenIdProtocol,
  PlainProtocol,
  ProviderSettings,
} from './provider-settings.js'

/** Where `olytix-core auth login` waits for its code. */
const DEFAULT_REDIRECT_URIS = ['http://127.0.0.1/callback']

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected small letters, digits, "-" and "_"')
const text = z.string().min(1, 'must not be empty').max(1000, 'is too long')
const domain = z
  .string()
  .toLowerCase()
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$/, 'expected a domain, as example.com')
const oneOrMore = z.union([text.transform((one) => [one]), z.array(text).min(1)])

const claims = strict({
  roles: strict({ from: text, map: z.record(text, oneOrMore) }).optional(),
  attributes: z
    .record(z.string().regex(ATTRIBUTE_NAME, 'is no name of an attribute'), text)
    .default({}),
  allow_admin: z.boolean().default(false),
}).transform((read): ClaimsMapping => ({
  ...(read.roles ? { roles: read.roles } : {}),
  attributes: read.attributes,
  allowAdmin: read.allow_admin,
}))

/** The block `security.oauth`. Messages never quote a value. */
export function oauthSchema(allowPrivateAddresses: boolean): z.ZodType<OAuthSettings> {
  return strict({
    enabled: z.boolean().default(true),
    redirect_uris: z.array(redirectUri).default(DEFAULT_REDIRECT_URIS),
    providers: z.array(providerSchema(allowPrivateAddresses)).default([]),
  })
    .superRefine(({ providers }, context) => {
      providers.forEach(({ name }, index) => {
        if (providers.findIndex((other) => other.name === name) === index) return
        const path = ['providers', index, 'name']
        context.addIssue({ code: 'custom', path, message: 'another provider has this name' })
      })
    })
    .transform(({ redirect_uris, providers }) => ({ redirectUris: redirect_uris, providers }))
}

function providerSchema(allowPrivateAddresses: boolean): z.ZodType<ProviderSettings> {
  const url = addressSchema(allowPrivateAddresses)
  return strict({
    name,
    display_name: text.optional(),
    client_id: text,
    client_secret: text.transform((value) => new Secret(value)),
    issuer: url
      .refine((value) => !value.includes('/.well-known/'), 'is the address before /.well-known/')
      .optional(),
    authorize_url: url.optional(),
    token_url: url.optional(),
    jwks_url: url.optional(),
    userinfo_url: url.optional(),
    scopes: z.array(text).optional(),
    allowed_domains: z.array(domain).default([]),
    default_roles: z.array(text).default([]),
    claims: claims.default({ attributes: {}, allowAdmin: false }),
  }).transform((read, context): ProviderSettings => {
    const preset = presetOf(read.name, read.issuer !== undefined)
    const protocol = protocolOf(read)
    const scopes = read.scopes ?? preset.scopes
    const problem = protocol === undefined ? INCOMPLETE : scopeProblem(protocol, scopes)
    if (protocol === undefined || problem !== undefined) {
      context.addIssue({ code: 'custom', message: problem ?? INCOMPLETE })
      return z.NEVER
    }
    return {
      name: read.name,
      displayName: read.display_name ?? preset.displayName,
      clientId: read.client_id,
      clientSecret: read.client_secret,
      scopes,
      protocol,
      allowedDomains: read.allowed_domains,
      defaultRoles: read.default_roles,
      claims: read.claims,
    }
  })
}

const INCOMPLETE =
  'needs an issuer, or authorize_url, token_url and userinfo_url: without them nobody can be recognised'

interface Addresses {
  readonly name: string
  readonly issuer?: string | undefined
  readonly authorize_url?: string | undefined
  readonly token_url?: string | undefined
  readonly jwks_url?: string | undefined
  readonly userinfo_url?: string | undefined
}

function protocolOf(read: Addresses): OpenIdProtocol | PlainProtocol | undefined {
  const preset = presetOf(read.name, read.issuer !== undefined)
  const issuer = read.issuer ?? preset.issuer
  return issuer === undefined ? plainProtocol(read, preset) : openIdProtocol(issuer, read)
}

function plainProtocol(read: Addresses, preset: ProviderPreset): PlainProtocol | undefined {
  const authorizeUrl = read.authorize_url ?? preset.authorizeUrl
  const tokenUrl = read.token_url ?? preset.tokenUrl
  const userinfoUrl = read.userinfo_url ?? preset.userinfoUrl
  if (authorizeUrl === undefined || tokenUrl === undefined || userinfoUrl === undefined) {
    return undefined
  }
  return {
    kind: read.name === 'github' ? 'github' : 'oauth',
    // The subjects are those of whoever answers at this address.
    issuer: userinfoUrl === GITHUB_USERINFO_URL ? 'https://github.com' : userinfoUrl,
    authorizeUrl,
    tokenUrl,
    userinfoUrl,
  }
}

function openIdProtocol(issuer: string, read: Addresses): OpenIdProtocol {
  return {
    kind: 'oidc',
    issuer,
    ...(read.authorize_url === undefined ? {} : { authorizeUrl: read.authorize_url }),
    ...(read.token_url === undefined ? {} : { tokenUrl: read.token_url }),
    ...(read.jwks_url === undefined ? {} : { jwksUrl: read.jwks_url }),
    ...(read.userinfo_url === undefined ? {} : { userinfoUrl: read.userinfo_url }),
  }
}

function scopeProblem(
  protocol: OpenIdProtocol | PlainProtocol,
  scopes: readonly string[],
): string | undefined {
  const asksForIdToken = scopes.includes('openid')
  if (protocol.kind === 'oidc') return asksForIdToken ? undefined : 'scopes must hold openid'
  return asksForIdToken ? 'the scope openid needs an issuer' : undefined
}

function addressSchema(allowPrivateAddresses: boolean): z.ZodType<string, string> {
  const schemes = allowPrivateAddresses ? ['https:', 'http:'] : ['https:']
  return z.string().refine((value) => {
    const url = parseUrl(value)
    return (
      url !== undefined && schemes.includes(url.protocol) && url.username === '' && url.hash === ''
    )
  }, 'expected an address with https://, without user name and fragment')
}

const redirectUri = z.string().refine((value) => {
  const url = parseUrl(value)
  if (url === undefined || value.includes('#') || url.username !== '') return false
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(hostname))
}, 'expected https://, or http:// on this machine, without user name and fragment')

function parseUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined
}
