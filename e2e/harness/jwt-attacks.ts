import { createHmac, generateKeyPairSync, type KeyObject, sign as signWith } from 'node:crypto'
import { createServer } from 'node:http'
import { expect } from '@jest/globals'
import { UNAUTHORIZED } from './errors.js'
import { ask } from './http.js'
import { forge, type Jwt, part, readJwt } from './jwt.js'
import { PUBLIC_SECRETS } from './public-secrets.js'

/** A token that works, of which others are made by somebody who does not know the signing key. */
export interface Target extends Jwt {
  readonly token: string
  /** An address in the hands of the attacker. */
  readonly trapUrl: string
}

export function targetOf(token: string, trap: Trap): Target {
  return { token, trapUrl: trap.url, ...readJwt(token) }
}

/** The numbers that an attack has in the attack list, what it is, and the tokens it makes. */
export type JwtAttack = readonly [name: string, forged: (target: Target) => readonly string[]]

/** Attacks that know nothing of the key, whatever the algorithm. */
export const JWT_ATTACKS: readonly JwtAttack[] = [
  [
    '1 alg none',
    ({ header, claims, signature }) =>
      ['none', 'None', 'NONE', 'nOnE'].flatMap((alg) =>
        ['', signature].map((text) => `${part({ ...header, alg })}.${part(claims)}.${text}`),
      ),
  ],
  [
    '2 alg missing or no text',
    ({ header, claims }) =>
      [undefined, 1, ['HS256'], '', null].map((alg) => forge({ ...header, alg }, claims, 'secret')),
  ],
  [
    '3 signature removed or cut',
    ({ token }) => {
      const [header = '', claims = '', signature = ''] = token.split('.')
      const cut = [1, 2, 3, 4, 5, 6, 7, 8].map((by) => signature.slice(0, -by))
      return [`${header}.${claims}`, ...['', ...cut].map((text) => `${header}.${claims}.${text}`)]
    },
  ],
  [
    '4 parts too many',
    ({ token }) => [`${token}.`, `.${token}`, `${token}.x`, `${token}.x.x`, 'a.b.c.d.e'],
  ],
  [
    '7 HS256 with a public secret, or with what the token itself says',
    ({ header, claims, signature }) =>
      [...PUBLIC_SECRETS, signature, String(claims['sid']), String(claims['sub'])].map((secret) =>
        forge({ ...header, alg: 'HS256' }, claims, secret),
      ),
  ],
  [
    '11 another algorithm, or a key of its own',
    (target) => [
      ...['HS384', 'HS512'].map((alg) => signedBy(target, { alg }, hmac(alg))),
      signedBy(target, { alg: 'RS256' }, (text) => signWith('sha256', text, rsa)),
      signedBy(target, { alg: 'ES256' }, ecdsa),
      signedBy(target, { alg: 'EdDSA' }, (text) => signWith(null, text, ed)),
    ],
  ],
  [
    '12 13 a key of its own that the header names',
    (target) => {
      const { trapUrl } = target
      const oct = { kty: 'oct', k: Buffer.from('secret').toString('base64url') }
      const named = [{ jku: trapUrl }, { x5u: trapUrl }, { x5c: ['MIIB'] }]
      return [
        signedBy(target, { alg: 'ES256', jwk: ec.export({ format: 'jwk' }) }, ecdsa),
        forge({ ...target.header, alg: 'HS256', jwk: oct }, target.claims, 'secret'),
        ...named.flatMap((more) => [
          signedBy(target, { alg: 'ES256', ...more }, ecdsa),
          `${part({ ...target.header, ...more })}.${part(target.claims)}.${target.signature}`,
        ]),
      ]
    },
  ],
  [
    '14-18 a header with more in it',
    ({ header, claims, signature }) =>
      [
        { crit: [] },
        { crit: ['exp'] },
        { b64: false },
        { zip: 'DEF' },
        { cty: 'JWT' },
        { kid: 'sgk_1' },
        { kid: '../../../dev/null' },
        { kid: "' or 1=1 --" },
        { kid: '\0' },
        { kid: 'k'.repeat(4096) },
        { extra: true },
      ].flatMap((more) => [
        forge({ ...header, alg: 'HS256', ...more }, claims, ''),
        `${part({ ...header, ...more })}.${part(claims)}.${signature}`,
      ]),
  ],
  [
    '17 18 38 a header that is no object, says alg twice, or is of another type',
    ({ header, claims, signature }) =>
      [
        '[]',
        'null',
        '"HS256"',
        '{',
        JSON.stringify(header).replace('{', '{"alg":"none",'),
        { ...header, typ: undefined },
        { ...header, typ: 'at+jwt' },
        { ...header, typ: 'jwt' },
      ].map((text) => `${part(text)}.${part(claims)}.${signature}`),
  ],
  [
    '16 25 a payload that is no object of claims',
    ({ token, header, claims, signature }) =>
      [
        '[]',
        'null',
        '"x"',
        '1',
        '{}',
        token,
        '{"__proto__":{"sub":"x"}}',
        `\ufeff${JSON.stringify(claims)}`,
      ].flatMap((text) => [
        forge({ ...header, alg: 'HS256' }, text, 'secret'),
        `${part(header)}.${part(text)}.${signature}`,
      ]),
  ],
  [
    '23 the other last characters of the signature',
    ({ token }) =>
      ALPHABET.map((last) => token.slice(0, -1) + last).filter((text) => text !== token),
  ],
  [
    '24 25 other spellings',
    ({ token }) => [
      `${token}=`,
      `${token}==`,
      `${token}%3D`,
      `${token.slice(0, -10)} ${token.slice(-10)}`,
      token.replace('.', '=.'),
      `${token.replaceAll('-', '+').replaceAll('_', '/')}+/`,
      token.toUpperCase(),
    ],
  ],
  [
    '22 26-38 41 a claim changed, added or taken away',
    ({ header, claims, signature }) => {
      const lies = {
        sub: 'usr_admin',
        email: 'somebody@example.com',
        roles: ['viewer', 'admin'],
        scope: 'admin',
        exp: 9_999_999_999,
        iat: 0,
        nbf: 0,
        iss: 'https://example.com',
        aud: ['olytix-core', 'other'],
        jti: 'tok_x',
        sid: 'ses_x',
        admin: true,
      }
      const changed = Object.entries(lies).map(([name, value]) => ({ ...claims, [name]: value }))
      const without = Object.keys(claims).map((name) => ({ ...claims, [name]: undefined }))
      const twice = JSON.stringify(claims).replace('{', '{"sub":"usr_x",')
      return [...changed, ...without, twice].flatMap((lie) => [
        `${part(header)}.${part(lie)}.${signature}`,
        forge({ ...header, alg: 'HS256' }, lie, 'secret'),
      ])
    },
  ],
]

/** Demands that each token gets the documented 401 and nothing else. */
export async function expectAllRefused(
  { token }: Pick<Target, 'token'>,
  forged: readonly string[],
  server?: string,
): Promise<void> {
  expect(forged.length).toBeGreaterThan(0)
  for (const key of forged) {
    expect(key).not.toBe(token)
    const { status, text, headers } = await ask('/api/v1/auth/me', { key, server })
    expect({ key, status, text }).toEqual({ key, status: 401, text: UNAUTHORIZED })
    expect(headers['www-authenticate']).toContain('error="invalid_token"')
  }
}

/** A web server of the attacker's, and how often somebody came. */
export interface Trap {
  readonly url: string
  readonly visits: () => number
  readonly close: () => Promise<unknown>
}

export async function aTrap(): Promise<Trap> {
  let visits = 0
  const server = createServer((_request, response) => {
    visits += 1
    response.end('{"keys":[]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    visits: () => visits,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

/** The target's claims under a changed header, signed in whatever way. */
export function signedBy(
  { header, claims }: Pick<Target, 'header' | 'claims'>,
  more: object,
  sign: (text: Buffer) => Buffer,
): string {
  const text = `${part({ ...header, ...more })}.${part(claims)}`
  return `${text}.${sign(Buffer.from(text)).toString('base64url')}`
}

function hmac(alg: string): (text: Buffer) => Buffer {
  return (text) => createHmac(alg.replace('HS', 'sha'), 'secret').update(text).digest()
}

function ecdsa(text: Buffer): Buffer {
  return signWith('sha256', text, { key: ec, dsaEncoding: 'ieee-p1363' })
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('')
const rsa: KeyObject = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const ed: KeyObject = generateKeyPairSync('ed25519').privateKey
