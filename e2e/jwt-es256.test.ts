import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { AlgorithmStack, START_MS } from './harness/algorithm-stack.js'
import { expectAllRefused, JWT_ATTACKS, signedBy, targetOf } from './harness/jwt-attacks.js'
import { ask } from './harness/http.js'
import { forge, part } from './harness/jwt.js'
import { REFRESH_RULES } from './harness/refresh-rules.js'

/** The same attacks where anybody can read the keys that verify, and those that this makes possible. */

/** Order of the curve P-256. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

let stack: AlgorithmStack
let server: string
let target: AlgorithmStack['target']
beforeAll(async () => {
  stack = await AlgorithmStack.start('ES256')
  ;({ server, target } = stack)
}, START_MS)
afterAll(() => stack.stop(), START_MS)

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
    const jwk = await stack.verifyingKey()
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const [text = '', signature = ''] = target.token.split(/\.(?=[^.]*$)/)
    const bytes = Buffer.from(signature, 'base64url')
    const input = { key, dsaEncoding: 'ieee-p1363' } as const
    expect(verify('sha256', Buffer.from(text), input, bytes)).toBe(true)
    expect(await stack.statusOf(target.token)).toBe(200)
  })

  test.each(JWT_ATTACKS)('%s: refused', async (_name, forged) => {
    await expectAllRefused(target, forged(target), server)
  })

  test('5 6 HS256 keyed with the published key, however it is written: refused', async () => {
    const jwk = await stack.verifyingKey()
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const pem = key.export({ type: 'spki', format: 'pem' }).toString()
    const secrets = [
      pem,
      pem.trimEnd(),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      JSON.stringify({ keys: [jwk] }),
      await stack.keySetText(),
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
    const others = (await stack.publishedKeys())
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

  test.each(REFRESH_RULES)('a refresh token %s', async (_name, holds) => {
    await holds(stack)
  })

  test('10 the twin of a signature is the same token: it dies with its session', async () => {
    const bytes = Buffer.from(target.signature, 'base64url')
    const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const twin = withSignature(signatureOf(bytes.subarray(0, 32), ORDER - s))
    expect(await stack.statusOf(twin)).toBe(200)
    const body = { refresh_token: stack.refreshToken }
    expect((await ask('/api/v1/auth/logout', { method: 'POST', body, server })).status).toBe(204)
    const deadline = Date.now() + 1_000
    while ((await stack.statusOf(twin)) === 200 && Date.now() < deadline);
    await expectAllRefused({ token: '' }, [twin, target.token], server)
    expect(stack.trap.visits()).toBe(0)
  })

  test('an emergency revocation ends every token of a signing key at once, and nobody has to sign in again', async () => {
    const pair = await stack.signIn()
    const kid = String(targetOf(pair.access_token, stack.trap).header['kid'])
    const other = await stack.signIn()
    const revoked = await ask(`/api/v1/auth/signing-keys/${kid}`, {
      method: 'DELETE',
      key: other.access_token,
      server,
    })
    expect(revoked.status).toBe(204)
    const deadline = Date.now() + 1_000
    while ((await stack.statusOf(pair.access_token)) === 200 && Date.now() < deadline);
    await expectAllRefused({ token: '' }, [pair.access_token, other.access_token], server)
    expect((await stack.publishedKeys()).map(({ kid }) => kid)).not.toContain(kid)
    const next = await stack.refresh(pair.refresh_token)
    expect(await stack.statusOf(next.access_token)).toBe(200)
  })
})
