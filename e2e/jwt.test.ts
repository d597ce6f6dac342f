import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { asAdmin, createUser, signIn, statusOf } from './harness/accounts.js'
import { expectRefusal, UNAUTHORIZED } from './harness/errors.js'
import { ask, fieldsOf } from './harness/http.js'
import { part } from './harness/jwt.js'
import {
  aTrap,
  expectAllRefused,
  JWT_ATTACKS,
  type Target,
  targetOf,
  type Trap,
} from './harness/jwt-attacks.js'

/** Attacks on access tokens under HS256, the documented algorithm; the numbers are those of the attack list. */

let trap: Trap
let target: Target
let token: string
beforeAll(async () => {
  trap = await aTrap()
  token = (await signIn(await createUser())).access_token
  target = targetOf(token, trap)
})
afterAll(() => trap.close())

test('the token that all others are made from works', async () => {
  expect(await statusOf(token)).toBe(200)
})

describe('a forged token is refused:', () => {
  test.each(JWT_ATTACKS)('%s', async (_name, forged) => {
    await expectAllRefused(target, forged(target))
  })

  test('13 and nobody has fetched a key from where the token says', () => {
    expect(trap.visits()).toBe(0)
  })

  test('39 a token of another kind', async () => {
    const user = await createUser()
    const { refresh_token } = await signIn(user)
    const reset = await asAdmin('POST', `users/${user.id}/reset-password`)
    await expectAllRefused(target, [refresh_token, String(fieldsOf(reset)['token'])])
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
    const long = `${header}.${part({ ...target.claims, pad: 'x'.repeat(8192) })}.${signature}`
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
