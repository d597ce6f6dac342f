import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ConfigError } from '@olytix/config'
import type { OAuthSettings } from './provider-settings.js'
import { readOAuthSettings } from './provider-settings-file.js'

const DOCUMENTED = `name: shop
warehouse:
  host: \${WAREHOUSE_HOST}
security:
  oauth:
    enabled: true
    providers:
      - name: google
        client_id: \${GOOGLE_CLIENT_ID}
        client_secret: \${GOOGLE_CLIENT_SECRET}
        authorize_url: https://accounts.google.com/o/oauth2/auth
        token_url: https://oauth2.googleapis.com/token
`
const ENVIRONMENT = { GOOGLE_CLIENT_ID: 'the-client', GOOGLE_CLIENT_SECRET: 'the-s3cret-value' }
const NONE = { redirectUris: ['http://127.0.0.1/callback'], providers: [] }

function read(
  text: string,
  environment: Record<string, string> = ENVIRONMENT,
  allowPrivateAddresses = false,
): OAuthSettings {
  const projectPath = mkdtempSync(path.join(tmpdir(), 'olytix-oauth-'))
  writeFileSync(path.join(projectPath, 'olytix-core_project.yml'), text)
  return readOAuthSettings({ projectPath, environment, allowPrivateAddresses })
}

function problemsOf(text: string, environment?: Record<string, string>): readonly string[] {
  try {
    read(text, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

/** A project with these providers; the first begins in line 5. */
function withProviders(...providers: readonly string[]): string {
  return ['name: shop', 'security:', '  oauth:', '    providers:', ...providers].join('\n')
}

const COMPANY = '      - {name: company, client_id: x, client_secret: y'
const READABLE = `${COMPANY}, issuer: https://id.example.com`

describe('the providers of a project', () => {
  test('load from the documented block as it is; the rest of the file is not looked at', () => {
    const { providers, redirectUris } = read(DOCUMENTED)
    expect(redirectUris).toEqual(NONE.redirectUris)
    expect(providers).toMatchObject([
      {
        name: 'google',
        displayName: 'Google',
        clientId: 'the-client',
        scopes: ['openid', 'email', 'profile'],
        protocol: {
          kind: 'oidc',
          issuer: 'https://accounts.google.com',
          authorizeUrl: 'https://accounts.google.com/o/oauth2/auth',
          tokenUrl: 'https://oauth2.googleapis.com/token',
        },
        allowedDomains: [],
        claims: { attributes: {}, allowAdmin: false },
      },
    ])
    expect(providers[0]?.clientSecret.reveal()).toBe('the-s3cret-value')
    expect(JSON.stringify(providers)).not.toContain('s3cret')
  })

  test.each(['google', 'github', 'microsoft'])('%s needs only id and secret', (name) => {
    const text = withProviders(`      - {name: ${name}, client_id: x, client_secret: y}`)
    expect(read(text).providers.map((provider) => provider.name)).toEqual([name])
  })

  test('may say everything that is documented', () => {
    const { providers, redirectUris } = read(`security:
  oauth:
    redirect_uris: [https://app.example.com/done, 'http://[::1]/callback']
    providers:
      - name: company
        display_name: The company
        client_id: x
        client_secret: y
        issuer: https://id.example.com/realms/a
        jwks_url: https://id.example.com/keys
        userinfo_url: https://id.example.com/me
        scopes: [openid, groups]
        allowed_domains: [Example.com]
        default_roles: [viewer]
        claims:
          roles: {from: groups, map: {sales: analyst, it: [developer, viewer]}}
          attributes: {region: 'https://example.com/region'}
          allow_admin: true
`)
    expect(redirectUris).toEqual(['https://app.example.com/done', 'http://[::1]/callback'])
    expect(providers[0]).toMatchObject({
      displayName: 'The company',
      scopes: ['openid', 'groups'],
      protocol: {
        kind: 'oidc',
        issuer: 'https://id.example.com/realms/a',
        jwksUrl: 'https://id.example.com/keys',
        userinfoUrl: 'https://id.example.com/me',
      },
      allowedDomains: ['example.com'],
      defaultRoles: ['viewer'],
      claims: {
        roles: { from: 'groups', map: { sales: ['analyst'], it: ['developer', 'viewer'] } },
        attributes: { region: 'https://example.com/region' },
        allowAdmin: true,
      },
    })
  })

  test('of plain OAuth have subjects of their own address, GitHub those of github.com', () => {
    const urls = 'authorize_url: https://a.example/a, token_url: https://a.example/t'
    const { providers } = read(
      withProviders(
        `${COMPANY}, ${urls}, userinfo_url: https://a.example/me}`,
        '      - {name: github, client_id: x, client_secret: y}',
      ),
    )
    expect(providers.map(({ protocol }) => [protocol.kind, protocol.issuer])).toEqual([
      ['oauth', 'https://a.example/me'],
      ['github', 'https://github.com'],
    ])
  })

  test('load as docs/sign-in.md shows them', () => {
    const page = readFileSync(new URL('../../../../docs/sign-in.md', import.meta.url), 'utf8')
    const [declared = '', claims = ''] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, text]) => text,
    )
    const indented = claims.replaceAll(/^/gm, ' '.repeat(8)).trimEnd()
    const [google] = read(`${declared}${indented}\n`).providers
    expect(google).toMatchObject({ allowedDomains: ['example.com'], defaultRoles: ['viewer'] })
    expect(google?.claims.roles?.map).toEqual({
      'sales-west': ['analyst'],
      it: ['developer', 'viewer'],
    })
    expect(google?.claims.attributes['region']).toBe('region')
  })

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(read(DOCUMENTED).providers[0]?.allowedDomains)).toBe(true)
  })
})

describe('there are no providers', () => {
  test.each([
    ['without the block', 'name: shop'],
    ['with an empty block', 'security:\n  oauth:\n'],
    ['with an empty security', 'security:\n'],
    ['when it is switched off, whose variables are not read', DOCUMENTED.replace('true', 'false')],
  ])('%s', (_name, text) => {
    expect(read(text, {})).toEqual(NONE)
  })

  test('without a project', () => {
    const nowhere = { projectPath: undefined, environment: {}, allowPrivateAddresses: false }
    expect(readOAuthSettings(nowhere)).toEqual(NONE)
  })
})

describe('a start is refused with file, line and column, and without values', () => {
  const F = 'olytix-core_project.yml'
  test.each([
    [
      'unknown without issuer and userinfo_url',
      withProviders(`${COMPANY}}`),
      `${F}:5:9: security.oauth.providers[0]: needs an issuer, or`,
    ],
    [
      'the documented block under another name',
      DOCUMENTED.replace('name: google', 'name: corp'),
      `${F}:8:9: security.oauth.providers[0]: needs an issuer, or`,
    ],
    [
      'a key that is misspelt',
      withProviders(`${READABLE}, alowed_domains: []}`),
      '(did you mean allowed_domains?)',
    ],
    [
      'no secret',
      withProviders('      - {name: google, client_id: x}'),
      'security.oauth.providers[0].client_secret: missing',
    ],
    [
      'an empty secret',
      withProviders("      - {name: google, client_id: x, client_secret: ''}"),
      'must not be empty',
    ],
    [
      'two of one name',
      withProviders(`${READABLE}}`, `${READABLE}}`),
      `${F}:6:16: security.oauth.providers[1].name: another provider has this name`,
    ],
    [
      'a name for no address',
      withProviders("      - {name: 'a/b', client_id: x, client_secret: y}"),
      'expected small letters',
    ],
    [
      'http',
      withProviders(`${COMPANY}, issuer: http://id.example.com}`),
      'expected an address with https://',
    ],
    [
      'a file',
      withProviders(`${COMPANY}, issuer: 'file:///etc/passwd'}`),
      'expected an address with https://',
    ],
    [
      'a user name',
      withProviders(`${COMPANY}, issuer: 'https://u:p@id.example.com'}`),
      'expected an address with https://',
    ],
    [
      'a discovery document',
      withProviders(`${READABLE}/.well-known/openid-configuration}`),
      'is the address before /.well-known/',
    ],
    ['no openid', withProviders(`${READABLE}, scopes: [email]}`), 'scopes must hold openid'],
    [
      'a redirect in clear',
      'security: {oauth: {redirect_uris: [http://app.example.com/cb]}}',
      'redirect_uris[0]: expected https://',
    ],
    [
      'a redirect with a fragment',
      "security: {oauth: {redirect_uris: ['https://app.example.com/#a']}}",
      'redirect_uris[0]: expected https://',
    ],
    [
      'a script as redirect',
      "security: {oauth: {redirect_uris: ['javascript:alert(1)']}}",
      'redirect_uris[0]: expected https://',
    ],
    [
      'roles that are no map',
      withProviders(`${READABLE}, claims: {roles: {from: groups}}}`),
      'claims.roles.map: missing',
    ],
    [
      'an attribute with a bad name',
      withProviders(`${READABLE}, claims: {attributes: {Region: r}}}`),
      'claims.attributes.Region',
    ],
    [
      'enabled as a text',
      'security: {oauth: {enabled: "yes"}}',
      'security.oauth.enabled: expected boolean',
    ],
    ['broken YAML', 'security: [', `${F}:1:`],
  ])('%s', (_name, text, expected) => {
    expect(problemsOf(text).join('\n')).toContain(expected)
  })

  test('an unset variable, by its name', () => {
    expect(problemsOf(DOCUMENTED, { GOOGLE_CLIENT_ID: 'x' })).toEqual([
      `${F}:10:24: the environment variable GOOGLE_CLIENT_SECRET is not set`,
    ])
  })

  test('never with a secret, whatever is wrong around it', () => {
    const text = DOCUMENTED.replace('token_url', 'tokn_url').replace('https://acc', 'ftp://acc')
    const told = problemsOf(text).join('\n')
    expect(told).toContain('tokn_url')
    for (const value of Object.values(ENVIRONMENT)) expect(told).not.toContain(value)
  })

  test('a folder without the file', () => {
    const nowhere = { projectPath: '/nowhere', environment: {}, allowPrivateAddresses: false }
    expect(() => readOAuthSettings(nowhere)).toThrow('OLYTIX_PROJECT_PATH: there is no readable')
  })
})

test('http is for private addresses, when those are allowed', () => {
  const text = withProviders(`${COMPANY}, issuer: http://127.0.0.1:8080}`)
  expect(read(text, {}, true).providers).toHaveLength(1)
})
