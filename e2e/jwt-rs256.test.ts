import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { AlgorithmStack, START_MS } from './harness/algorithm-stack.js'
import { expectAllRefused, JWT_ATTACKS, signedBy } from './harness/jwt-attacks.js'
import { ask } from './harness/http.js'
import { forge, part } from './harness/jwt.js'
import { REFRESH_RULES } from './harness/refresh-rules.js'

/** The same attacks under the third algorithm. */

let stack: AlgorithmStack
let server: string
let target: AlgorithmStack['target']
beforeAll(async () => {
  stack = await AlgorithmStack.start('RS256')
  ;({ server, target } = stack)
}, START_MS)
afterAll(() => stack.stop(), START_MS)

describe('under RS256', () => {
  test('the key set verifies the token, and holds no secret', async () => {
    expect(target.header).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.stringMatching(/^sgk_/) })
    const jwk = await stack.verifyingKey()
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    expect(jwk).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig' })
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const [text = '', signature = ''] = target.token.split(/\.(?=[^.]*$)/)
    const bytes = Buffer.from(signature, 'base64url')
    expect(verify('sha256', Buffer.from(text), key, bytes)).toBe(true)
    expect(await stack.statusOf(target.token)).toBe(200)
  })

  test.each(JWT_ATTACKS)('%s: refused', async (_name, forged) => {
    await expectAllRefused(target, forged(target), server)
  })

  test('5 6 HS256 keyed with the published key, however it is written: refused', async () => {
    const jwk = await stack.verifyingKey()
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const pem = key.export({ type: 'spki', format: 'pem' }).toString()
    const pkcs1 = key.export({ type: 'pkcs1', format: 'pem' }).toString()
    const secrets = [
      pem,
      pem.trimEnd(),
      pkcs1,
      pkcs1.trimEnd(),
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

  test('11 19 21 a signature of another key, of another form, or a key id of another: refused', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const own = (text: Buffer): Buffer => sign('sha256', text, privateKey)
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
      'sgk_0'.padEnd(25, '0'),
    ]
    const forged = kids.flatMap((kid) => [
      signedBy(target, { kid }, own),
      `${part({ ...target.header, kid })}.${part(target.claims)}.${target.signature}`,
    ])
    const otherForms = ['RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(
      (alg) => `${part({ ...target.header, alg })}.${part(target.claims)}.${target.signature}`,
    )
    await expectAllRefused(target, [signedBy(target, {}, own), ...forged, ...otherForms], server)
  })

  test.each(REFRESH_RULES)('a refresh token %s', async (_name, holds) => {
    await holds(stack)
  })

  test('40 a token dies with its session, and no trap was ever visited', async () => {
    expect(await stack.statusOf(target.token)).toBe(200)
    const body = { refresh_token: stack.refreshToken }
    expect((await ask('/api/v1/auth/logout', { method: 'POST', body, server })).status).toBe(204)
    const deadline = Date.now() + 1_000
    while ((await stack.statusOf(target.token)) === 200 && Date.now() < deadline);
    await expectAllRefused({ token: '' }, [target.token], server)
    expect(stack.trap.visits()).toBe(0)
  })
})
