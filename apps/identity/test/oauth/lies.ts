import { createHmac } from 'node:crypto'
import { CLIENT, type Lies } from './lying-provider.js'
import { SigningKey } from './signing-key.js'

/** A lie by name, and what the cause of the refusal says, so that none is refused for another reason. */
type Row = readonly [name: string, lies: Lies, cause: RegExp]

/** Text that must come back to nobody. */
export const MARKUP = '<script>alert(1)</script>'

const TOO_MUCH = { body: Buffer.alloc(10 * 1024 * 1024, ' ') }
const weak = new SigningKey('RS256', 1024)
const stranger = new SigningKey('RS256')

/** What a provider says that must not be believed. Names without blanks are those of the OpenID conformance suite. */
export const DISBELIEVED: readonly Row[] = [
  ['invalid-iss', claims({ iss: 'https://evil.example' }), /"iss"/],
  ['missing-iss', claims({ iss: undefined }), /"iss"/],
  ['invalid-aud', claims({ aud: 'another' }), /"aud"/],
  ['missing-aud', claims({ aud: undefined }), /"aud"/],
  ['aud with others and no azp', claims({ aud: [CLIENT.id, 'x'], azp: undefined }), /"aud"/],
  ['aud with others, azp of another', claims({ aud: [CLIENT.id, 'x'], azp: 'x' }), /"azp"/],
  ['azp of another', claims({ azp: 'another' }), /\(azp\)/],
  ['missing-iat', claims({ iat: undefined }), /"iat"/],
  ['iat as text', claims({ iat: '1' }), /"iat"/],
  ['iat in the future', shifted('iat', 90), /\(iat\)/],
  ['expired', shifted('exp', -331), /"exp"/],
  ['missing-exp', claims({ exp: undefined }), /"exp"/],
  ['exp as text', claims({ exp: '9999999999' }), /"exp"/],
  ['not yet valid', { claims: (said) => ({ ...said, nbf: Number(said['iat']) + 90 }) }, /"nbf"/],
  ['missing-sub', claims({ sub: undefined }), /"sub"/],
  ['sub as a number', claims({ sub: 7 }), /"sub"/],
  ['sub as a list', claims({ sub: ['person-1'] }), /"sub"/],
  ['empty sub', claims({ sub: '' }), /another form/],
  ['sub with NUL', claims({ sub: 'person-1\u0000' }), /another form/],
  ['sub of 256 characters', claims({ sub: 'x'.repeat(256) }), /another form/],
  ['nonce-invalid', claims({ nonce: 'another' }), /"nonce"/],
  ['nonce missing', claims({ nonce: undefined }), /"nonce"/],
  ['invalid-athash', claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), /at_hash/],
  ['at_hash as a number', claims({ at_hash: 7 }), /another form/],
  ['invalid-sig-rs256', { idToken: spoiled }, /signature/],
  ['no signature', { idToken: (_, input) => `${input}.` }, /signature/],
  ['idtoken-sig-none', unsigned('none'), /"alg"|unsupported/],
  ['idtoken-sig-none, in other letters', unsigned('nOnE'), /"alg"|unsupported/],
  ['none though the provider lists it', { ...unsigned('none'), ...listing('none') }, /unsupported/],
  ['invalid-sig-hs256 with the public key', { ...hs256(), ...listing('HS256') }, /unsupported/],
  ['hs256 with the client secret', { ...hs256(CLIENT.secret), ...listing('HS256') }, /unsupported/],
  ['hs256 not listed', hs256(CLIENT.secret), /"alg"/],
  ['kid-absent-multiple-jwks', { header: ({ alg }) => ({ alg }), keys: withAnother }, /multiple/],
  ['a kid that is not published', { header: (header) => ({ ...header, kid: 'x' }) }, /no applic/],
  ['a key in the header', inHeader(stranger), /signature/],
  ['a critical extension', { header: (header) => ({ ...header, crit: ['b64'] }) }, /crit/],
  ['a key of 1024 bits', signedBy(weak), /no applicable/],
  ['a key for encryption', { keys: ([key]) => [{ ...key, use: 'enc' }] }, /no applicable/],
  ['a key of another algorithm', { keys: ([key]) => [{ ...key, alg: 'RS512' }] }, /no applicable/],
  ['no keys', { keys: () => [] }, /no applicable/],
  ['an encrypted token', { idToken: (signed) => `${signed}.x.y` }, /JWE/],
  ['two parts', { idToken: (_, input) => input }, /Invalid JWT/],
  ['no id_token', { tokens: ({ id_token: _, ...answer }) => answer }, /id_token/],
  ['no access_token', { tokens: ({ access_token: _, ...answer }) => answer }, /access_token/],
  ['id_token as a list', { tokens: (answer) => ({ ...answer, id_token: ['x'] }) }, /id_token/],
  ['another token_type', { tokens: (answer) => ({ ...answer, token_type: 'mac' }) }, /token_type/],
  ['userinfo-invalid-sub', { userinfo: (said) => ({ ...said, sub: 'person-2' }) }, /"sub"/],
  ['userinfo without sub', { userinfo: ({ sub: _, ...said }) => said }, /"sub"/],
  [
    'an error of the token endpoint',
    { tokens: () => ({ error: 'invalid_client', error_description: MARKUP }) },
    /\(invalid_client\)/,
  ],
]

/** What a person comes back with that must not be believed. */
export const FALSE_REPLIES: readonly Row[] = [
  ['iss parameter wrong', { reply: (each) => ({ ...each, iss: 'https://evil.example' }) }, /"iss"/],
  ['iss parameter missing', { discovery: advertisingIss }, /"iss"/],
  ['state of another', { reply: (each) => ({ ...each, state: 'another' }) }, /"state"/],
  ['no state', { reply: ({ code }) => ({ code }) }, /"state"/],
  ['no code', { reply: ({ state }) => ({ state }) }, /code/],
  ['code of another', { reply: (each) => ({ ...each, code: 'another' }) }, /invalid_grant/],
  ['code with error', { reply: (each) => ({ ...each, error: 'access_denied' }) }, /access_denied/],
  ['an error alone', { reply: ({ state }) => ({ state, error: MARKUP }) }, /is an error$/],
]

/** Answers that are of no use. */
export const USELESS: readonly Row[] = [
  [
    'discovery of another issuer',
    { discovery: (said) => ({ ...said, issuer: 'https://evil.example' }) },
    /discovery/,
  ],
  ['no token endpoint', { discovery: ({ token_endpoint: _, ...said }) => said }, /lacks/],
  ['no keys address', { discovery: ({ jwks_uri: _, ...said }) => said }, /lacks/],
  [
    'no authorisation endpoint',
    { discovery: ({ authorization_endpoint: _, ...said }) => said },
    /lacks/,
  ],
  [
    'a token endpoint that is no address',
    { discovery: (said) => ({ ...said, token_endpoint: 'x' }) },
    /token_endpoint/,
  ],
  [
    'a file as keys',
    { discovery: (said) => ({ ...said, jwks_uri: 'file:///etc/passwd' }) },
    /HTTP/,
  ],
  ['keys that are no list', { keys: () => 'x' }, /form/],
  ['discovery 500', { raw: { discovery: { status: 500 } } }, /status 500/],
  ['discovery as HTML', { raw: { discovery: { type: 'text/html', body: MARKUP } } }, /no JSON/],
  ['discovery as a list', { raw: { discovery: { body: '[]' } } }, /form/],
  ['token 500', { raw: { token: { status: 500, body: MARKUP } } }, /status 500/],
  ['token 429', { raw: { token: { status: 429 } } }, /status 429/],
  ['token as HTML', { raw: { token: { type: 'text/html', body: MARKUP } } }, /no JSON/],
  ['token as broken JSON', { raw: { token: { body: '{' } } }, /JSON/],
  [
    'token 400 as HTML',
    { raw: { token: { status: 400, type: 'text/html', body: MARKUP } } },
    /content-type/,
  ],
  ['token of 10 MB', { raw: { token: TOO_MUCH } }, /1 MB/],
  ['token never', { raw: { token: { silent: true } } }, /in time/],
  ['token drop by drop', { raw: { token: { dripMs: 20 } } }, /in time/],
  ['keys of 10 MB', { raw: { jwks: TOO_MUCH } }, /1 MB/],
  ['keys 404', { raw: { jwks: { status: 404 } } }, /status 404/],
  ['userinfo 500', { raw: { userinfo: { status: 500 } } }, /status 500/],
  [
    'a compressed answer',
    { raw: { token: { headers: { 'content-encoding': 'gzip' } } } },
    /compressed/,
  ],
]

function claims(changes: Record<string, unknown>): Lies {
  return { claims: (said) => ({ ...said, ...changes }) }
}

function advertisingIss(metadata: Record<string, unknown>): Record<string, unknown> {
  return { ...metadata, authorization_response_iss_parameter_supported: true }
}

function listing(algorithm: string): Lies {
  return {
    discovery: (metadata) => ({
      ...metadata,
      id_token_signing_alg_values_supported: [algorithm, 'RS256'],
    }),
  }
}

function unsigned(algorithm: string): Lies {
  return {
    header: (header) => ({ ...header, alg: algorithm }),
    idToken: (_, input) => `${input}.`,
  }
}

/** The token with one bit of its signature changed. */
export function spoiled(signed: string): string {
  const [header = '', payload = '', signature = ''] = signed.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[10] = (bytes[10] ?? 0) ^ 1
  return [header, payload, bytes.toString('base64url')].join('.')
}

function withAnother(keys: readonly Record<string, unknown>[]): unknown {
  return [...keys, stranger.jwk]
}

function shifted(name: string, bySeconds: number): Lies {
  return { claims: (said) => ({ ...said, [name]: Number(said[name]) + bySeconds }) }
}

function signedBy(key: SigningKey): Lies {
  return {
    keys: () => [key.jwk],
    header: (header) => ({ ...header, kid: key.jwk['kid'] }),
    idToken: (_, input) => `${input}.${key.sign(input)}`,
  }
}

function inHeader(key: SigningKey): Lies {
  return {
    header: (header) => ({ ...header, jwk: key.jwk }),
    idToken: (_, input) => `${input}.${key.sign(input)}`,
  }
}

/** Signed with what everybody knows, or with what we know: the public key if no secret is given. */
function hs256(secret?: string): Lies {
  return {
    header: (header) => ({ ...header, alg: 'HS256' }),
    idToken: (_, input, key) => {
      const pem = key.publicKey.export({ format: 'pem', type: 'spki' })
      const mac = createHmac('sha256', secret ?? pem).update(input)
      return `${input}.${mac.digest('base64url')}`
    },
  }
}
