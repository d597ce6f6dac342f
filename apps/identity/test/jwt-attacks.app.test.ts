import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { Decision } from '@olytix/proto'
import { sql } from '@olytix/postgres'
import type { SigningKey } from '../src/tokens/key-material.js'
import {
  decodePart,
  derSigned,
  encode,
  forge,
  keyedWithPublic,
  MAX_IAT_AHEAD_SECONDS,
  ORDER,
  otherAlgorithms,
  otherSpellings,
  stolenKeys,
  strangersKey,
  twinSignature,
  withNumbers,
} from './forge.js'
import { as, failure, Harness, unary } from './harness.js'

const WEAK = ['', 'secret', 'your-256-bit-secret', 'changeme', 'olytix', 'password', '0'.repeat(32)]

type Json = Record<string, unknown>

describe.each(['HS256', 'ES256', 'RS256'] as const)('an access token under %s', (algorithm) => {
  let identity: Harness
  let token: string
  let refreshToken: string
  let header: Json
  let claims: Json & { iat: number }
  let active: SigningKey
  let next: SigningKey
  let trapped = 0
  const trap = createServer((_request, response) => {
    trapped += 1
    response.end('{}')
  })

  beforeAll(async () => {
    identity = await Harness.start({ OLYTIX_SECURITY__JWT_ALGORITHM: algorithm })
    const pair = await identity.signIn()
    token = pair.accessToken
    refreshToken = pair.refreshToken
    header = decodePart(token, 0)
    claims = { ...decodePart(token, 1), iat: Number(decodePart(token, 1)['iat']) }
    const keys = await stolenKeys(identity, algorithm)
    active = must(keys.get('active'))
    next = must(keys.get('next'))
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  })

  afterAll(async () => {
    trap.close()
    await identity.end()
  })

  const signed = (parts: { header?: Json; claims?: Json; by?: KeyObject; alg?: string }): string =>
    forge(
      { ...header, ...parts.header },
      { ...claims, ...parts.claims },
      parts.by ?? active.signing,
      parts.alg ?? algorithm,
    )
  const without = (from: Json, name: string): Json =>
    Object.fromEntries(Object.entries(from).filter(([each]) => each !== name))
  const lacking = (name: string): string =>
    forge(header, without(claims, name), active.signing, algorithm)
  const raw = (headerText: string, payloadText: string): string =>
    forge(headerText, payloadText, active.signing, algorithm)
  const parts = (): [string, string, string] => {
    const [first = '', second = '', third = ''] = token.split('.')
    return [first, second, third]
  }
  const bytes = (...pieces: (string | number[])[]): Buffer =>
    Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)))
  const rawBytes = (headerBytes: Buffer, payloadBytes: Buffer): string =>
    forge(headerBytes, payloadBytes, active.signing, algorithm)

  test('that is genuine is accepted, as is the same again by its own key', async () => {
    expect(await ask(token)).toBe(Decision.DECISION_ALLOW)
    expect(await ask(signed({}))).toBe(Decision.DECISION_ALLOW)
    expect(header).toEqual(
      algorithm === 'HS256'
        ? { alg: 'HS256', typ: 'JWT' }
        : { alg: algorithm, typ: 'JWT', kid: active.id },
    )
    const names = [
      'sub',
      'email',
      'roles',
      'scope',
      'iss',
      'aud',
      'iat',
      'nbf',
      'exp',
      'jti',
      'sid',
    ]
    expect(Object.keys(claims).sort()).toEqual(names.sort())
  })

  test.each<[string, () => string | string[]]>([
    [
      '1 alg none, with an empty or the old signature',
      () =>
        ['none', 'None', 'NONE', 'nOnE'].flatMap((alg) => {
          const text = `${encode({ ...header, alg })}.${parts()[1]}`
          return [`${text}.`, `${text}.${parts()[2]}`, text]
        }),
    ],
    [
      '2 alg missing, a number, an array, empty',
      () => [
        forge(without(header, 'alg'), claims, active.signing, algorithm),
        ...[256, [algorithm], ''].map((alg) => signed({ header: { alg } })),
      ],
    ],
    [
      '3 no signature, or a cut one',
      () => {
        const [first, second, third] = parts()
        const cut = [1, 2, 3, 4, 5, 6, 7, 8].map((count) => token.slice(0, -count))
        return [`${first}.${second}.`, `${first}.${second}`, ...cut, `.${second}.${third}`]
      },
    ],
    [
      '4 other numbers of parts, JSON serialisation',
      () => {
        const [first, second, third] = parts()
        const json = JSON.stringify({ protected: first, payload: second, signature: third })
        return [`${token}.${third}.${third}`, `${token}.${third}`, `.${token}`, json]
      },
    ],
    [
      '5, 6 HS256 keyed with our public key in any form',
      () => keyedWithPublic(header, claims, active),
    ],
    [
      '7 HS256 with a known secret, or the text of ours',
      () => {
        const key = algorithm === 'HS256' ? active.signing.export() : randomBytes(32)
        const secrets = [...WEAK, key.toString('hex'), key.toString('base64')]
        return secrets.map((secret) =>
          forge({ alg: 'HS256', typ: 'JWT' }, claims, createSecretKey(Buffer.from(secret))),
        )
      },
    ],
    [
      '8, 9 ES256 signatures of impossible numbers, or in DER',
      () => {
        if (algorithm !== 'ES256') return []
        const numbers: [bigint, bigint][] = [
          [0n, 0n],
          [0n, 1n],
          [1n, ORDER],
          [ORDER, 1n],
        ]
        const impossible = numbers.map(([r, s]) => withNumbers(token, r, s))
        return [...impossible, derSigned(header, claims, active.signing)]
      },
    ],
    [
      '11 every other algorithm, and ours by a stranger',
      () => otherAlgorithms(header, claims, active),
    ],
    [
      '12 a jwk in the header, signed by it and by ours',
      () => {
        const jwk = strangersKey('ES256').export({ format: 'jwk' })
        const strange = forge({ ...header, alg: 'ES256', jwk }, claims, strangersKey('ES256'))
        return [strange, signed({ header: { jwk } })]
      },
    ],
    [
      '13 jku, x5u, x5c',
      () => {
        const address = trap.address()
        const port = typeof address === 'object' && address ? address.port : 0
        const url = `http://127.0.0.1:${String(port)}/jwks.json`
        return [{ jku: url }, { x5u: url }, { x5c: ['MIIB'] }].map((more) =>
          signed({ header: more }),
        )
      },
    ],
    [
      '14, 15, 16, 18 crit, b64, zip, cty, and anything else',
      () =>
        [
          { crit: [] },
          { crit: ['exp'] },
          { crit: ['https://example.com/unknown'] },
          { b64: false },
          { zip: 'DEF' },
          { cty: 'JWT' },
          { x: 1 },
        ].map((more) => signed({ header: more })),
    ],
    ['16 a whole token as payload', () => raw(JSON.stringify(header), token)],
    [
      '17 a header that names alg twice',
      () => raw(`{"alg":"none",${JSON.stringify(header).slice(1)}`, JSON.stringify(claims)),
    ],
    [
      '18 a header that is an array, text or null',
      () =>
        [[header], 'JWT', null].map((value) => raw(JSON.stringify(value), JSON.stringify(claims))),
    ],
    [
      '19, 20 a kid that is missing, none of ours, or hostile',
      () => {
        const kids = ['', 7, null, '../../etc/passwd', "' or 1=1 --", 'sgk_\0', 'k'.repeat(5000)]
        const bad = kids.map((kid) => signed({ header: { kid } }))
        const own = signed({ header: { kid: active.id } })
        const none = forge(without(header, 'kid'), claims, active.signing, algorithm)
        return [...bad, algorithm === 'HS256' ? own : none]
      },
    ],
    [
      '21 the kid of the next key, and of another environment',
      () => {
        const strange = `sgk_${'0'.repeat(21)}`
        const kid = (id: string): Json => (algorithm === 'HS256' ? {} : { kid: id })
        return [
          signed({ header: kid(next.id), by: next.signing }),
          signed({ header: kid(strange), by: strangersKey(algorithm) }),
        ]
      },
    ],
    [
      '22 a payload that names sub twice',
      () => raw(JSON.stringify(header), `{"sub":"usr_x",${JSON.stringify(claims).slice(1)}`),
    ],
    ['23, 24, 25 another spelling of the same token', () => otherSpellings(token)],
    [
      '25 a BOM, other encodings, another kind of payload',
      () => [
        rawBytes(bytes(JSON.stringify(header)), bytes([0xef, 0xbb, 0xbf], JSON.stringify(claims))),
        rawBytes(bytes([0xef, 0xbb, 0xbf], JSON.stringify(header)), bytes(JSON.stringify(claims))),
        rawBytes(bytes(JSON.stringify(header)), bytes(JSON.stringify(claims), [0xff])),
        ...[[claims], 'text', null, 7].map((value) =>
          raw(JSON.stringify(header), JSON.stringify(value)),
        ),
        raw(JSON.stringify(header), `{"__proto__":{},${JSON.stringify(claims).slice(1)}`),
        raw(JSON.stringify(header), ` ${JSON.stringify(claims)}`),
      ],
    ],
    ['26, 31, 33, 34, 35, 36 a claim missing', () => Object.keys(claims).map(lacking)],
    [
      '27, 28 exp of another kind',
      () =>
        ['4102444800', -1, 1e300, claims.iat + 0.5, null, [claims.iat + 60]].map((exp) =>
          signed({ claims: { exp } }),
        ),
    ],
    [
      '30 nbf in the future, or text',
      () => [
        signed({ claims: { nbf: claims.iat + MAX_IAT_AHEAD_SECONDS + 1 } }),
        signed({ claims: { nbf: String(claims.iat) } }),
      ],
    ],
    [
      '31, 32 issued in the future, or for too long',
      () => {
        const iat = claims.iat + MAX_IAT_AHEAD_SECONDS + 1
        return [
          signed({ claims: { iat, exp: iat + 3600 } }),
          signed({ claims: { exp: claims.iat + 3601 } }),
          signed({ claims: { iat: claims.iat - 3600 } }),
          signed({ claims: { exp: claims.iat } }),
        ]
      },
    ],
    [
      '33, 34 sub, jti or sid that are no ids',
      () =>
        ['sub', 'jti', 'sid'].flatMap((name) =>
          [7, '', null, ['usr_1'], 'x\0'].map((value) => signed({ claims: { [name]: value } })),
        ),
    ],
    [
      '35 another issuer',
      () =>
        ['', 'Olytix-core', 'olytix-core/', 'https://evil.example', ['olytix-core']].map((iss) =>
          signed({ claims: { iss } }),
        ),
    ],
    [
      '36, 37 another audience, or ours among others',
      () =>
        ['', 'other', [], ['olytix-core'], ['olytix-core', 'other']].map((aud) =>
          signed({ claims: { aud } }),
        ),
    ],
    [
      '38 another typ',
      () =>
        ['at+jwt', 'jwt', 'JOSE', '', 7]
          .map((typ) => signed({ header: { typ } }))
          .concat(forge(without(header, 'typ'), claims, active.signing, algorithm)),
    ],
    [
      '39 our refresh token, and an ID token of a provider',
      () => {
        const idClaims = {
          iss: 'https://accounts.google.com',
          sub: '1',
          aud: 'us',
          exp: 9e9,
          iat: 1,
        }
        return [refreshToken, forge(header, idClaims, active.signing, algorithm)]
      },
    ],
    [
      '41 one claim or the header changed under the old signature',
      () => {
        const [first, second, third] = parts()
        const changed = encode({ ...claims, sub: `usr_${'0'.repeat(21)}` })
        const other = encode({ typ: 'JWT', ...header })
        return [`${first}.${changed}.${third}`, `${other}.${second}.${third}`]
      },
    ],
    [
      '42 too long a token',
      () => [
        signed({ claims: { email: 'e'.repeat(8193) } }),
        `${'A'.repeat(100_000)}.${parts()[1]}.${parts()[2]}`,
      ],
    ],
    ['claims beyond the fixed list', () => signed({ claims: { admin: true } })],
  ])('is refused: %s', async (_row, make) => {
    for (const forged of [make()].flat()) {
      const answer = await identity.authorize({ credential: forged, requiredScopes: [] })
      expect([forged, answer.decision, answer.principal]).toEqual([
        forged,
        Decision.DECISION_DENY,
        undefined,
      ])
    }
    const last = [make()].flat().at(-1)
    if (last && /^[\x21-\x7e]{1,8000}$/.test(last)) {
      const client = identity.tokenClient
      const error = await failure(
        unary((done) => client.listSessions({ pageSize: 1, pageToken: '' }, as(last), done)),
      )
      expect(error.code).toBe(status.UNAUTHENTICATED)
    }
    expect(trapped).toBe(0)
  })

  test('29 works until one second before its exp, and up to 5 s before its iat', async () => {
    const began = identity.clock.at
    for (const [seconds, expected] of [
      [-MAX_IAT_AHEAD_SECONDS - 1, Decision.DECISION_DENY],
      [-MAX_IAT_AHEAD_SECONDS, Decision.DECISION_ALLOW],
      [3599, Decision.DECISION_ALLOW],
      [3600, Decision.DECISION_DENY],
    ] as const) {
      identity.clock.at = new Date((claims.iat + seconds) * 1000)
      expect([seconds, await ask(token)]).toEqual([seconds, expected])
    }
    identity.clock.at = began
  })

  test('10 has a twin under ES256, which ends with its session', async () => {
    if (algorithm !== 'ES256') return
    const { accessToken } = await identity.signIn()
    const twin = twinSignature(accessToken)
    expect(twin).not.toBe(accessToken)
    expect(await ask(twin)).toBe(Decision.DECISION_ALLOW)
    await endSession(accessToken)
    expect([await ask(twin), await ask(accessToken)]).toEqual(['DECISION_DENY', 'DECISION_DENY'])
  })

  test('40 dies with its session, and with the epoch of its user', async () => {
    const one = await identity.signIn()
    await endSession(one.accessToken)
    expect(await ask(one.accessToken)).toBe(Decision.DECISION_DENY)
    const other = await identity.signIn()
    await identity.owner.execute(sql`update users set credentials_epoch = credentials_epoch + 1`)
    expect(await ask(other.accessToken)).toBe(Decision.DECISION_DENY)
  })

  test('may say what it likes about roles and scopes: it decides nothing', async () => {
    const { accessToken } = await identity.signIn()
    const own = { ...decodePart(accessToken, 1), roles: ['viewer'], scope: 'read' }
    const answer = await identity.authorize({
      credential: forge(header, own, active.signing, algorithm),
      requiredScopes: ['admin'],
    })
    expect(answer).toMatchObject({ decision: Decision.DECISION_ALLOW, roles: ['admin'] })
  })

  async function ask(credential: string): Promise<Decision> {
    return (await identity.authorize({ credential })).decision
  }

  async function endSession(accessToken: string): Promise<void> {
    const client = identity.tokenClient
    const id = String(decodePart(accessToken, 1)['sid'])
    await unary((done) => client.revokeSession({ id }, as(accessToken), done))
  }
})

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a key is missing')
  return value
}
