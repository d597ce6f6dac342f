import { beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import {
  type Account,
  anEmail,
  aPassword,
  asAdmin,
  askForToken,
  createUser,
  expectRefused,
  expectWithinBound,
  refresh,
  signIn,
  statusOf,
} from './harness/accounts.js'
import { expectRefusal, FORBIDDEN, UNAUTHORIZED } from './harness/errors.js'
import { type Answer, ask, createKey, fieldsOf, query, rows } from './harness/http.js'

const QUESTION = { metrics: ['total_revenue'] }
const ANALYST = { roles: ['analyst'], attributes: { region: 'West' } }

function changePassword(key: string, current: string, next: string): Promise<Answer> {
  const body = { current_password: current, new_password: next }
  return ask('/api/v1/auth/password', { method: 'POST', key, body })
}

function redeem(token: string, password: string): Promise<Answer> {
  const body = { token, new_password: password }
  return ask('/api/v1/auth/password/reset', { method: 'POST', body })
}

async function resetTokenOf({ id }: Account): Promise<string> {
  const answer = await asAdmin('POST', `users/${id}/reset-password`)
  expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
  return z
    .object({ token: z.string(), expires_at: z.iso.datetime() })
    .parse(JSON.parse(answer.text)).token
}

describe('a disabled user', () => {
  test('loses access token, refresh token and the keys he made; enabled again, signs in anew', async () => {
    const user = await createUser({ roles: ['admin'] })
    const pair = await signIn(user)
    const { key } = await createKey({}, pair.access_token)
    for (const credential of [pair.access_token, key]) {
      expect((await query(credential, QUESTION)).status).toBe(200)
    }

    expect((await asAdmin('PATCH', `users/${user.id}`, { disabled: true })).status).toBe(200)
    expect(await refresh(pair.refresh_token)).toMatchObject({ status: 401, text: UNAUTHORIZED })
    expect((await askForToken(user.email, user.password)).status).toBe(401)
    for (const credential of [pair.access_token, key]) {
      await expectRefused(credential)
      expect(await query(credential, QUESTION)).toMatchObject({ status: 401, text: UNAUTHORIZED })
    }

    expect((await asAdmin('PATCH', `users/${user.id}`, { disabled: false })).status).toBe(200)
    await expectWithinBound(() => statusOf(key), 200)
    expect(await statusOf(pair.access_token)).toBe(401)
    expect((await refresh(pair.refresh_token)).status).toBe(401)
    expect(await statusOf((await signIn(user)).access_token)).toBe(200)
  })
})

describe('a deleted user', () => {
  test('is gone with every credential, and the address is free', async () => {
    const user = await createUser()
    const pair = await signIn(user)
    expect((await asAdmin('DELETE', `users/${user.id}`)).status).toBe(204)
    await expectRefused(pair.access_token)
    expect((await refresh(pair.refresh_token)).status).toBe(401)
    expect((await askForToken(user.email, user.password)).status).toBe(401)
    const { email } = user
    const again = await asAdmin('POST', 'users', { email, password: aPassword() })
    expect(again.status).toBe(201)
    expect(fieldsOf(again)['id']).not.toBe(user.id)
  })
})

describe('a password', () => {
  test('that its owner changes ends his other sessions and keeps this one', async () => {
    const user = await createUser()
    const here = await signIn(user)
    const there = await signIn(user)
    const next = aPassword()
    expect(await changePassword(here.access_token, aPassword(), next)).toMatchObject({
      status: 403,
      text: FORBIDDEN,
    })
    expect((await changePassword(here.access_token, user.password, next)).status).toBe(204)
    await expectRefused(there.access_token)
    expect((await refresh(there.refresh_token)).status).toBe(401)
    await expectWithinBound(() => statusOf(here.access_token), 200)
    expect((await refresh(here.refresh_token)).status).toBe(200)
    expect((await askForToken(user.email, user.password)).status).toBe(401)
    expect((await askForToken(user.email, next)).status).toBe(200)
  })

  test('that an admin lets him choose anew ends all sessions; the token works once', async () => {
    const user = await createUser()
    const pair = await signIn(user)
    const token = await resetTokenOf(user)
    const tries = await Promise.all(Array.from({ length: 5 }, () => redeem(token, user.password)))
    expect(tries.map(({ status }) => status).toSorted()).toEqual([204, 401, 401, 401, 401])
    await expectRefused(pair.access_token)
    expect((await refresh(pair.refresh_token)).status).toBe(401)
    expect(await statusOf((await signIn(user)).access_token)).toBe(200)
  })

  test('is chosen by who was invited, and by nobody else', async () => {
    const [email, password] = [anEmail(), aPassword()]
    const answer = await asAdmin('POST', 'users', { email, roles: ['viewer'] })
    const invited = z.object({ invite_token: z.string(), invite_expires_at: z.iso.datetime() })
    const { invite_token } = invited.parse(JSON.parse(answer.text))
    expect(await redeem(`${invite_token.slice(0, -1)}_`, password)).toMatchObject({
      status: 401,
      text: UNAUTHORIZED,
    })
    expect((await redeem(invite_token, password)).status).toBe(204)
    expect((await redeem(invite_token, aPassword())).status).toBe(401)
    const { access_token } = await signIn({ email, password })
    expect((await query(access_token, QUESTION)).status).toBe(200)
  })

  test.each([
    ['short', 'eleven char'],
    ['common', 'password1234'],
    ['endless', 'x'.repeat(1025)],
  ])('that is %s is refused everywhere, and says why', async (_what, bad) => {
    const user = await createUser()
    const { access_token } = await signIn(user)
    const answers = [
      await asAdmin('POST', 'users', { email: anEmail(), password: bad }),
      await changePassword(access_token, user.password, bad),
      await redeem(await resetTokenOf(user), bad),
    ]
    for (const answer of answers) expectRefusal(answer, 400, 'INVALID_REQUEST')
    expect((await askForToken(user.email, user.password)).status).toBe(200)
  })
})

describe('roles and attributes', () => {
  let user: Account
  let token: string
  beforeAll(async () => {
    user = await createUser()
    token = (await signIn(user)).access_token
  })

  async function scopes(): Promise<string> {
    const { text } = await ask('/api/v1/auth/me', { key: token })
    return z
      .object({ scopes: z.array(z.string()) })
      .parse(JSON.parse(text))
      .scopes.join(' ')
  }

  test.each([
    [['viewer'], 'read'],
    [['developer'], 'read write'],
    [['admin'], 'read write admin'],
    [[], ''],
    [['viewer', 'developer'], 'read write'],
  ])('changed to %j give the same token the scopes %j', async (roles, wanted) => {
    expect((await asAdmin('PATCH', `users/${user.id}`, { roles })).status).toBe(200)
    await expectWithinBound(scopes, wanted)
  })

  test('of a role that changes, everybody who has it feels it', async () => {
    const name = 'e2e_changing'
    expect((await asAdmin('PUT', `roles/${name}`, { scopes: ['read'] })).status).toBe(200)
    await asAdmin('PATCH', `users/${user.id}`, { roles: [name] })
    await expectWithinBound(scopes, 'read')
    await asAdmin('PUT', `roles/${name}`, { scopes: ['write'] })
    await expectWithinBound(scopes, 'write')
    expect(await query(token, QUESTION)).toMatchObject({ status: 403, text: FORBIDDEN })
    await asAdmin('PUT', `roles/${name}`, { scopes: [] })
    await expectWithinBound(scopes, '')
  })

  test('without a policy that matches see nothing: 403 as documented', async () => {
    const name = 'e2e_bystander'
    await asAdmin('PUT', `roles/${name}`, { scopes: ['read'], description: 'In no policy' })
    const { access_token } = await signIn(await createUser({ roles: [name] }))
    expect(await query(access_token, QUESTION)).toMatchObject({ status: 403, text: FORBIDDEN })
    const cubes = await ask('/api/v1/query/meta/cubes', { key: access_token })
    expect(cubes.text).not.toContain('orders')
  })

  test('decide which rows a user sees, live', async () => {
    const analyst = await createUser(ANALYST)
    const { access_token } = await signIn(analyst)
    const revenue = async (): Promise<unknown> =>
      (await rows(access_token, QUESTION))[0]?.['total_revenue']
    expect(await revenue()).toBe(725457.8245)
    const change = { attributes: { region: 'East' } }
    expect((await asAdmin('PATCH', `users/${analyst.id}`, change)).status).toBe(200)
    await expectWithinBound(revenue, 678781.24)
  })

  test.each([
    ['a role that there is not', { roles: ['e2e_unknown'] }, 400],
    ['an attribute with a bad name', { attributes: { Region: 'West' } }, 400],
    ['an attribute that is an object', { attributes: { region: {} } }, 400],
    ['nothing', {}, 400],
    ['an unknown field', { is_admin: true }, 400],
    ['no address', { email: 'nobody' }, 400],
  ])('%s cannot be given: %j', async (_what, change, status) => {
    expect((await asAdmin('PATCH', `users/${user.id}`, change)).status).toBe(status)
  })

  test('built in cannot be deleted, and a name is given once', async () => {
    expect((await asAdmin('DELETE', 'roles/admin')).status).toBe(409)
    const { email } = user
    expectRefusal(await asAdmin('POST', 'users', { email: email.toUpperCase() }), 409, 'CONFLICT')
  })
})
