import { createPublicKey, generateKeyPairSync, type JsonWebKey, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import {
  expectAllRefused,
  JWT_ATTACKS,
  aTrap,
  signedBy,
  type Target,
  targetOf,
  type Trap,
} from './harness/jwt-attacks.js'
import { ask } from './harness/http.js'
import { forge, part } from './harness/jwt.js'
import { leakedSecrets } from './harness/leaked-secrets.js'
import { StackProcess } from './harness/stack-process.js'

/** The same attacks where anybody can read the keys that verify, and those that this makes possible. */

const START_MS = 200_000
/** Order of the curve P-256. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

const description = z.object({
  query_api_url: z.string(),
  admin_email: z.string(),
  admin_password: z.string(),
})
const keySet = z.object({
  keys: z.array(
    z.strictObject({
      kid: z.string(),
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      alg: z.literal('ES256'),
      use: z.literal('sig'),
      x: z.string(),
      y: z.string(),
    }),
  ),
})
const tokenPair = z.object({ access_token: z.string(), refresh_token: z.string() })

let stateDir: string
let stack: StackProcess
let server: string
let admin: z.output<typeof description>
let trap: Trap
let target: Target
let refreshToken: string
beforeAll(async () => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-es256-'))
  stack = new StackProcess(stateDir, {
    OLYTIX_SECURITY__JWT_ALGORITHM: 'ES256',
    OLYTIX_LOG__LEVEL: 'debug',
  })
  admin = description.parse(await stack.ready())
  server = admin.query_api_url
  trap = await aTrap()
  const { access_token, refresh_token } = await signIn()
  target = targetOf(access_token, trap)
  refreshToken = refresh_token
}, START_MS)
afterAll(async () => {
  await trap.close()
  await stack.stop('SIGTERM')
  const secrets = [target.token, refreshToken, admin.admin_password]
  const leaked = leakedSecrets(secrets, path.join(stateDir, 'logs'))
  rmSync(stateDir, { recursive: true, force: true })
  expect(leaked).toEqual([])
}, START_MS)

async function signIn(): Promise<z.output<typeof tokenPair>> {
  const body = { username: admin.admin_email, password: admin.admin_password }
  const answer = await ask('/api/v1/auth/token', { method: 'POST', body, server })
  return tokenPair.parse(JSON.parse(answer.text))
}

async function statusOf(key: string): Promise<number> {
  return (await ask('/api/v1/auth/me', { key, server })).status
}

async function publishedKeys(): Promise<z.output<typeof keySet>['keys']> {
  return keySet.parse(JSON.parse((await ask('/.well-known/jwks.json', { server })).text)).keys
}

async function verifyingKey(): Promise<JsonWebKey> {
  const found = (await publishedKeys()).find(({ kid }) => kid === target.header['kid'])
  if (!found) throw new Error('the key that signed is not published')
  return { ...found }
}

function signatureOf(r: Buffer | bigint, s: Buffer | bigint): string {
  return Buffer.concat(
    [r, s].map((number) => (typeof number === 'bigint' ? bytesOf(number) : number)),
  ).toString('base64url')
}

function bytesOf(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}

function withSignature(signature: string): string {
  return `${part(target.header)}.${part(target.claims)}.${signature}`
}

describe('under ES256', () => {
  test('the key set verifies the token, and holds no secret', async () => {
    expect(target.header).toEqual({ alg: 'ES256', typ: 'JWT', kid: expect.stringMatching(/^sgk_/) })
    const key = createPublicKey({ key: await verifyingKey(), format: 'jwk' })
    const [text = '', signature = ''] = target.token.split(/\.(?=[^.]*$)/)
    const bytes = Buffer.from(signature, 'base64url')
    const input = { key, dsaEncoding: 'ieee-p1363' } as const
    expect(verify('sha256', Buffer.from(text), input, bytes)).toBe(true)
    expect(await statusOf(target.token)).toBe(200)
  })

  test.each(JWT_ATTACKS)('%s: refused', async (_name, forged) => {
    await expectAllRefused(target, forged(target), server)
  })

  test('5 6 HS256 keyed with the published key, however it is written: refused', async () => {
    const jwk = await verifyingKey()
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const pem = key.export({ type: 'spki', format: 'pem' }).toString()
    const secrets = [
      pem,
      pem.trimEnd(),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      JSON.stringify({ keys: [jwk] }),
      (await ask('/.well-known/jwks.json', { server })).text,
    ]
    const headers = [
      { ...target.header, alg: 'HS256' },
      { alg: 'HS256', typ: 'JWT' },
    ]
    const forged = secrets.flatMap((secret) =>
      headers.map((header) => forge(header, target.claims, secret)),
    )
    await expectAllRefused(target, forged, server)
  })

  test('8 9 signatures that a careless verifier takes: refused', async () => {
    const bytes = Buffer.from(target.signature, 'base64url')
    const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)]
    const forged = [
      signatureOf(0n, 0n),
      signatureOf(0n, s),
      signatureOf(r, 0n),
      signatureOf(r, ORDER),
      signatureOf(ORDER, s),
      signatureOf(ORDER, ORDER),
      Buffer.concat([Buffer.from([0x30, 68, 2, 32]), r, Buffer.from([2, 32]), s]).toString(
        'base64url',
      ),
    ]
    await expectAllRefused(target, forged.map(withSignature), server)
  })

  test('11 19 21 a signature of another key, or a key id of another: refused', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const own = (text: Buffer): Buffer =>
      sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const others = (await publishedKeys())
      .map(({ kid }) => kid)
      .filter((kid) => kid !== target.header['kid'])
    expect(others.length).toBeGreaterThan(0)
    const kids = [
      ...others,
      undefined,
      '',
      1,
      null,
      [target.header['kid']],
      'sgk_000000000000000000000',
    ]
    const forged = kids.flatMap((kid) => [
      signedBy(target, { kid }, own),
      `${part({ ...target.header, kid })}.${part(target.claims)}.${target.signature}`,
    ])
    await expectAllRefused(target, [signedBy(target, {}, own), ...forged], server)
  })

  test('10 the twin of a signature is the same token: it dies with its session', async () => {
    const bytes = Buffer.from(target.signature, 'base64url')
    const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const twin = withSignature(signatureOf(bytes.subarray(0, 32), ORDER - s))
    expect(await statusOf(twin)).toBe(200)
    const body = { refresh_token: refreshToken }
    expect((await ask('/api/v1/auth/logout', { method: 'POST', body, server })).status).toBe(204)
    const deadline = Date.now() + 1_000
    while ((await statusOf(twin)) === 200 && Date.now() < deadline);
    await expectAllRefused({ token: '' }, [twin, target.token], server)
    expect(trap.visits()).toBe(0)
  })

  test('an emergency revocation ends every token of a signing key at once, and nobody has to sign in again', async () => {
    const pair = await signIn()
    const kid = String(targetOf(pair.access_token, trap).header['kid'])
    const other = await signIn()
    const revoked = await ask(`/api/v1/auth/signing-keys/${kid}`, {
      method: 'DELETE',
      key: other.access_token,
      server,
    })
    expect(revoked.status).toBe(204)
    const deadline = Date.now() + 1_000
    while ((await statusOf(pair.access_token)) === 200 && Date.now() < deadline);
    await expectAllRefused({ token: '' }, [pair.access_token, other.access_token], server)
    expect((await publishedKeys()).map((key) => key.kid)).not.toContain(kid)
    const body = { refresh_token: pair.refresh_token }
    const next = await ask('/api/v1/auth/refresh', { method: 'POST', body, server })
    expect(await statusOf(tokenPair.parse(JSON.parse(next.text)).access_token)).toBe(200)
  })
})
