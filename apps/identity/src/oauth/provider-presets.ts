/** What a provider known by name needs no setting for. */
export interface ProviderPreset {
  readonly displayName: string
  readonly issuer?: string
  readonly authorizeUrl?: string
  readonly tokenUrl?: string
  readonly userinfoUrl?: string
  readonly scopes: readonly string[]
}

const OPENID_SCOPES = ['openid', 'email', 'profile']

/** For GitHub Enterprise Server the addresses are set to its own. */
export const GITHUB_USERINFO_URL = 'https://api.github.com/user'

const PRESETS: Readonly<Record<string, ProviderPreset>> = {
  google: {
    displayName: 'Google',
    issuer: 'https://accounts.google.com',
    scopes: OPENID_SCOPES,
  },
  // People of any company's directory; set `issuer` to admit one directory only.
  microsoft: {
    displayName: 'Microsoft',
    issuer: 'https://login.microsoftonline.com/organizations/v2.0',
    scopes: OPENID_SCOPES,
  },
  github: {
    displayName: 'GitHub',
    authorizeUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    userinfoUrl: GITHUB_USERINFO_URL,
    scopes: ['read:user', 'user:email'],
  },
}

/** The preset of a provider's name, or nothing but default scopes. */
export function presetOf(name: string, hasIssuer: boolean): ProviderPreset {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined
  return preset ?? { displayName: name, scopes: hasIssuer ? OPENID_SCOPES : [] }
}
