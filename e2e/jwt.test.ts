import { createHmac, generateKeyPairSync, type KeyObject, sign as signWith } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { asAdmin, createUser, signIn, statusOf } from './harness/accounts.js'
import { expectRefusal, UNAUTHORIZED } from './harness/errors.js'
import { ask, fieldsOf } from './harness/http.js'
import { forge, type Jwt, part, readJwt } from './harness/jwt.js'

/** Attacks on access tokens by somebody who does not know the signing key; the numbers are those of the attack list. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const HS256 = { alg: 'HS256', typ: 'JWT' }
/** From public lists of secrets that people really sign with. */
const PUBLIC_SECRETS = [
  '',
  ' ',
  'secret',
  'Secret',
  'secret123',
  'secretkey',
  'secret_key',
  'secret-key',
  'SECRET_KEY',
  'mysecret',
  'my-secret',
  'supersecret',
  'super-secret',
  'shhhhh',
  'password',
  'passw0rd',
  'admin',
  'root',
  'test',
  'test123',
  'key',
  'private',
  'privatekey',
  'public',
  'jwt',
  'jwt_secret',
  'JWT_SECRET',
  'jwtsecret',
  'token',
  'changeme',
  'change-me',
  'changeit',
  '123456',
  '12345678',
  'qwerty',
  'default',
  'example',
  'foobar',
  'keyboard cat',
  'your-256-bit-secret',
  'your-384-bit-secret',
  'your-512-bit-secret',
  'your_jwt_secret',
  'a-string-secret-at-least-256-bits-long',
  'qwertyuiopasdfghjklzxcvbnm123456',
  '0123456789abcdef0123456789abcdef',
  '00000000000000000000000000000000',
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'GQDstcKsx0NHjPOuXOYg5MbeJ1XT0uFiwDVvVBrk',
  'olytix',
  'olytix-core',
  'OLYTIX_SECURITY__MASTER_KEY',
  '${OLYTIX_SECURITY__MASTER_KEY}',
]

let token: string
let jwt: Jwt
let trap: Server
let trapped = 0
beforeAll(async () => {
  token = (await signIn(await createUser())).access_token
  jwt = readJwt(token)
  trap = createServer((_request, response) => {
    trapped += 1
    response.end('{"keys":[]}')
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => trap.close(resolve)))

async function expectRefusedAll(tokens: readonly string[]): Promise<void> {
  expect(tokens.length).toBeGreaterThan(0)
  for (const text of tokens) {
    expect(text).not.toBe(token)
    const { status, text: body, headers } = await ask('/api/v1/auth/me', { key: text })
    const challenge = headers['www-authenticate']
    expect({ text, status, body }).toEqual({ text, status: 401, body: UNAUTHORIZED })
    expect(challenge).toContain('error="invalid_token"')
  }
}

function signed(header: object, sign: (text: string) => Buffer): string {
  const text = `${part(header)}.${part(jwt.claims)}`
  return `${text}.${sign(text).toString('base64url')}`
}

function trapUrl(): string {
  const address = trap.address()
  return `http://127.0.0.1:${typeof address === 'object' ? String(address?.port) : ''}/jwks.json`
}

test('the token that all others are made from works', async () => {
  expect(await statusOf(token)).toBe(200)
})

describe('a forged token is refused:', () => {
  const rows: readonly (readonly [string, () => readonly string[]])[] = [
    [
      '1 alg none',
      () =>
        ['none', 'None', 'NONE', 'nOnE'].flatMap((alg) =>
          ['', jwt.signature].map(
            (signature) => `${part({ ...HS256, alg })}.${part(jwt.claims)}.${signature}`,
          ),
        ),
    ],
    [
      '2 alg missing or no text',
      () =>
        [undefined, 1, ['HS256'], '', null].map((alg) =>
          forge({ ...HS256, alg }, jwt.claims, 'secret'),
        ),
    ],
    [
      '3 signature removed or cut',
      () => {
        const [header = '', claims = '', signature = ''] = token.split('.')
        const cut = [1, 2, 3, 4, 5, 6, 7, 8].map((by) => signature.slice(0, -by))
        return [`${header}.${claims}`, ...['', ...cut].map((text) => `${header}.${claims}.${text}`)]
      },
    ],
    [
      '4 parts too many',
      () => [`${token}.`, `.${token}`, `${token}.x`, `${token}.x.x`, 'a.b.c.d.e'],
    ],
    [
      '7 HS256 with a public secret',
      () => PUBLIC_SECRETS.map((secret) => forge(HS256, jwt.claims, secret)),
    ],
    [
      '7 HS256 with what is known of the token',
      () =>
        [jwt.signature, String(jwt.claims['sid']), String(jwt.claims['sub'])].map((secret) =>
          forge(HS256, jwt.claims, secret),
        ),
    ],
    [
      '11 another algorithm',
      () => [
        ...['HS384', 'HS512'].map((alg) =>
          signed({ ...HS256, alg }, (text) =>
            createHmac(alg.replace('HS', 'sha'), 'secret').update(text).digest(),
          ),
        ),
        signed({ ...HS256, alg: 'RS256' }, (text) => signWith('sha256', Buffer.from(text), rsa)),
        signed({ ...HS256, alg: 'ES256' }, (text) =>
          signWith('sha256', Buffer.from(text), { key: ec, dsaEncoding: 'ieee-p1363' }),
        ),
        signed({ ...HS256, alg: 'EdDSA' }, (text) => signWith(null, Buffer.from(text), ed)),
      ],
    ],
    [
      '12 13 a key of its own',
      () => {
        const jwk = ec.export({ format: 'jwk' })
        const ours = { kty: 'oct', k: Buffer.from('secret').toString('base64url') }
        const sources = [
          { jwk },
          { jwk: ours },
          { jku: trapUrl() },
          { x5u: trapUrl() },
          { x5c: ['MIIB'] },
        ]
        return sources.map((source) => forge({ ...HS256, ...source }, jwt.claims, 'secret'))
      },
    ],
    [
      '14-18 a header with more in it',
      () =>
        [
          { crit: [] },
          { crit: ['exp'] },
          { b64: false },
          { zip: 'DEF' },
          { cty: 'JWT' },
          { kid: 'sgk_1' },
          { kid: '../../../dev/null' },
          { kid: "' or 1=1 --" },
          { extra: true },
        ].flatMap((more) => [
          forge({ ...HS256, ...more }, jwt.claims, ''),
          `${part({ ...HS256, ...more })}.${part(jwt.claims)}.${jwt.signature}`,
        ]),
    ],
    [
      '17 18 a header that is no object, or says alg twice',
      () =>
        ['[]', 'null', '"HS256"', '{"alg":"none","alg":"HS256","typ":"JWT"}', '{', ''].map(
          (header) => `${part(header)}.${part(jwt.claims)}.${jwt.signature}`,
        ),
    ],
    [
      '16 25 a payload that is no object of claims',
      () =>
        [
          '[]',
          'null',
          '"x"',
          '1',
          '{}',
          token,
          '{"__proto__":{"sub":"x"}}',
          `\ufeff${JSON.stringify(jwt.claims)}`,
        ].map((claims) => forge(HS256, claims, 'secret')),
    ],
    [
      '23 the other last characters of the signature',
      () =>
        ALPHABET.split('')
          .map((last) => token.slice(0, -1) + last)
          .filter((text) => text !== token),
    ],
    [
      '24 25 other spellings',
      () => {
        const first = token.indexOf('.')
        return [
          `${token}=`,
          `${token}==`,
          `${token}%3D`,
          `${token.slice(0, -10)} ${token.slice(-10)}`,
          `${token.slice(0, first)}=${token.slice(first)}`,
          token.replaceAll('-', '+').replaceAll('_', '/') + '+/',
          token.toUpperCase(),
        ]
      },
    ],
    [
      '22 26-38 41 a claim changed, added or taken away',
      () => {
        const { claims, signature, header } = jwt
        const lies = {
          sub: 'usr_admin',
          email: 'admin@localhost.localdomain',
          roles: ['admin'],
          scope: 'read write admin',
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
        return [...changed, ...without, twice].flatMap((claims) => [
          `${part(header)}.${part(claims)}.${signature}`,
          forge(header, claims, 'secret'),
        ])
      },
    ],
    [
      '38 typ missing or another',
      () =>
        [{ alg: 'HS256' }, { ...HS256, typ: 'at+jwt' }, { ...HS256, typ: 'jwt' }].map(
          (header) => `${part(header)}.${part(jwt.claims)}.${jwt.signature}`,
        ),
    ],
  ]
  test.each(rows)('%s', async (_row, tokens) => {
    await expectRefusedAll(tokens())
  })

  test('13 and nobody has fetched a key from where the token says', () => {
    expect(trapped).toBe(0)
  })

  test('39 a token of another kind', async () => {
    const user = await createUser()
    const { refresh_token } = await signIn(user)
    const reset = await asAdmin('POST', `users/${user.id}/reset-password`)
    await expectRefusedAll([refresh_token, String(fieldsOf(reset)['token'])])
  })
})

describe('a token', () => {
  test('in the query string is refused: only API keys may stand there', async () => {
    const answer = await ask(`/api/v1/query?metrics=total_revenue&api_key=${token}`)
    expect(answer).toMatchObject({ status: 401, text: UNAUTHORIZED })
  })

  test.each([
    ['access_token', (): string => `/api/v1/auth/me?access_token=${token}`],
    ['token', (): string => `/api/v1/auth/me?token=${token}`],
  ])('as the parameter %s does not count', async (_name, path) => {
    expect(await ask(path())).toMatchObject({ status: 401, text: UNAUTHORIZED })
  })

  test('4 in JSON serialisation is refused', async () => {
    const [header, payload, signature] = token.split('.')
    const answer = await ask('/api/v1/auth/me', {
      key: JSON.stringify({ payload, protected: header, signature }),
    })
    expect([400, 401]).toContain(answer.status)
  })

  test('beside another credential is refused with 400', async () => {
    const both = await ask(`/api/v1/auth/me?api_key=x`, { key: token })
    expectRefusal(both, 400, 'INVALID_REQUEST')
    const headers = { Authorization: [`Bearer ${token}`, `Bearer ${token}`] }
    expectRefusal(await ask('/api/v1/auth/me', { headers }), 400, 'INVALID_REQUEST')
    const joined = { Authorization: `Bearer ${token}, Bearer ${token}` }
    expectRefusal(await ask('/api/v1/auth/me', { headers: joined }), 400, 'INVALID_REQUEST')
  })

  test('42 that is too long is refused unseen', async () => {
    const [header = '', , signature = ''] = token.split('.')
    const long = `${header}.${part({ ...jwt.claims, pad: 'x'.repeat(8192) })}.${signature}`
    expectRefusal(await ask('/api/v1/auth/me', { key: long }), 400, 'INVALID_REQUEST')
    const longer = await ask('/api/v1/auth/me', { key: 'x'.repeat(100_000) })
    expectRefusal(longer, 431, 'HEADERS_TOO_LARGE')
  })

  test('still works after all that', async () => {
    expect(await statusOf(token)).toBe(200)
  })
})

test('the published key set is empty, for the signing keys are secret', async () => {
  const answer = await ask('/.well-known/jwks.json')
  expect(answer).toMatchObject({ status: 200, text: '{"keys":[]}' })
})

const rsa: KeyObject = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const ed: KeyObject = generateKeyPairSync('ed25519').privateKey
