import { beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import {
  type Account,
  aPassword,
  asAdmin,
  askForToken,
  createUser,
  expectRefused,
  pairOf,
  refresh,
  signIn,
  statusOf,
  type TokenPair,
} from './harness/accounts.js'
import { UNAUTHORIZED } from './harness/errors.js'
import { type Answer, ask } from './harness/http.js'
import { stack } from './harness/stack.js'

/** Signing in, staying so and leaving; attacks with refresh tokens carry the numbers of the attack list. */

const sessionList = z.object({
  sessions: z.array(z.object({ id: z.string(), current: z.boolean() })),
})

let user: Account
beforeAll(async () => {
  user = await createUser()
})

async function sessionsOf({ access_token: key }: TokenPair) {
  const answer = await ask('/api/v1/auth/sessions', { key })
  expect(answer.status).toBe(200)
  return sessionList.parse(JSON.parse(answer.text)).sessions
}

function logout(token: string): Promise<Answer> {
  return ask('/api/v1/auth/logout', { method: 'POST', body: { refresh_token: token } })
}

/** Status, body and every header that is not of this one answer alone. */
function withoutItsOwn({ status, text, headers }: Answer) {
  const { date: _date, 'x-request-id': _id, ...rest } = headers
  return { status, text, headers: rest }
}

describe('signing in', () => {
  test('is refused with the same answer for an unknown user, a wrong password, and a user who may not', async () => {
    const disabled = await createUser()
    await asAdmin('PATCH', `users/${disabled.id}`, { disabled: true })
    const invited = await asAdmin('POST', 'users', { email: `invited-${user.email}` })
    expect(invited.status).toBe(201)
    const answers = [
      await askForToken(`nobody-${user.email}`, user.password),
      await askForToken(user.email, aPassword()),
      await askForToken(disabled.email, disabled.password),
      await askForToken(`invited-${user.email}`, aPassword()),
      await askForToken('no address at all', aPassword()),
    ].map(withoutItsOwn)
    expect(answers[0]).toMatchObject({ status: 401, text: UNAUTHORIZED })
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  test('takes the address in any case, and the password to the letter', async () => {
    expect((await askForToken(user.email.toUpperCase(), user.password)).status).toBe(200)
    for (const password of [
      user.password.toUpperCase(),
      ` ${user.password}`,
      `${user.password} `,
    ]) {
      expect((await askForToken(user.email, password)).status).toBe(401)
    }
    expect((await askForToken(user.email, user.password)).status).toBe(200)
  })

  test('with a password of 1 MB is refused and hashes nothing of it', async () => {
    const answer = await askForToken(user.email, 'x'.repeat(1_000_000))
    expect([400, 401, 413]).toContain(answer.status)
  })

  test('as the first admin works, with the password of stack.json', async () => {
    const pair = await signIn({ email: stack.admin_email, password: stack.admin_password })
    expect((await ask('/api/v1/auth/users', { key: pair.access_token })).status).toBe(200)
  })
})

describe('a refresh token', () => {
  test('1 goes on and on, in one session', async () => {
    let pair = await signIn(await createUser())
    for (let step = 0; step < 20; step += 1) pair = pairOf(await refresh(pair.refresh_token))
    expect(await sessionsOf(pair)).toHaveLength(1)
  })

  test('2 that is used 50 times at once gives one pair, byte for byte', async () => {
    const { refresh_token } = await signIn(user)
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refresh_token)))
    const bodies = new Set(answers.map(({ status, text }) => `${String(status)} ${text}`))
    expect(bodies.size).toBe(1)
    const [first] = answers
    if (!first) throw new Error('no answer')
    const next = pairOf(first)
    expect(await statusOf(next.access_token)).toBe(200)
    expect((await refresh(next.refresh_token)).status).toBe(200)
  })

  test('3 9 whose answer was lost gets the same answer again', async () => {
    const { refresh_token } = await signIn(user)
    const first = await refresh(refresh_token)
    expect((await refresh(refresh_token)).text).toBe(first.text)
    expect((await refresh(refresh_token)).text).toBe(first.text)
    expect((await refresh(pairOf(first).refresh_token)).status).toBe(200)
  })

  test('4 that is older than the last one ends the session, and no other', async () => {
    const stolen = await signIn(user)
    const other = await signIn(user)
    const second = pairOf(await refresh(stolen.refresh_token))
    const third = pairOf(await refresh(second.refresh_token))
    expect(await refresh(stolen.refresh_token)).toMatchObject({ status: 401, text: UNAUTHORIZED })
    expect((await refresh(third.refresh_token)).status).toBe(401)
    await expectRefused(third.access_token)
    expect(await statusOf(other.access_token)).toBe(200)
  })

  test('5 6 that was tampered with is refused, and the session goes on', async () => {
    const { refresh_token } = await signIn(user)
    const prefix = 'refresh_'.length
    const forged = [
      ...Array.from({ length: refresh_token.length - prefix }, (_, at) => {
        const place = prefix + at
        const other = refresh_token.charAt(place) === 'A' ? 'B' : 'A'
        return refresh_token.slice(0, place) + other + refresh_token.slice(place + 1)
      }),
      ...[1, 2, 3, 4, 10, 40].map((by) => refresh_token.slice(0, -by)),
      `${refresh_token}=`,
      `${refresh_token}A`,
      refresh_token.slice(prefix),
      refresh_token.toUpperCase(),
      'refresh_abc123',
    ]
    for (const text of forged) {
      const { status, text: body } = await refresh(text)
      expect({ text, status, body }).toEqual({ text, status: 401, body: UNAUTHORIZED })
    }
    expect((await refresh(refresh_token)).status).toBe(200)
  })

  test('8 is nothing else: no access token, no API key', async () => {
    const { access_token } = await signIn(user)
    for (const other of [access_token, stack.admin_api_key]) {
      expect(await refresh(other)).toMatchObject({ status: 401, text: UNAUTHORIZED })
    }
  })

  test.each(['current', 'previous'])(
    '13 ends with its session: log-out with the %s one',
    async (which) => {
      const first = await signIn(user)
      const second = pairOf(await refresh(first.refresh_token))
      const given = which === 'current' ? second : first
      expect(await logout(given.refresh_token)).toMatchObject({ status: 204, text: '' })
      expect((await refresh(second.refresh_token)).status).toBe(401)
      await expectRefused(second.access_token)
      await expectRefused(first.access_token)
    },
  )
})

describe('logging out', () => {
  test('of an unknown session says the same as of a known one', async () => {
    const { refresh_token } = await signIn(user)
    const answers = [
      await logout(refresh_token),
      await logout(refresh_token),
      await logout('refresh_x'),
    ]
    expect(answers.map(({ status, text }) => [status, text])).toEqual(Array(3).fill([204, '']))
  })
})

describe('sessions', () => {
  test('are listed, the own one marked, and each can be ended', async () => {
    const owner = await createUser()
    const here = await signIn(owner)
    const there = await signIn(owner)
    const sessions = await sessionsOf(here)
    expect(sessions.map(({ current }) => current).toSorted()).toEqual([false, true])
    const other = sessions.find(({ current }) => !current)
    const answer = await ask(`/api/v1/auth/sessions/${String(other?.id)}`, {
      method: 'DELETE',
      key: here.access_token,
    })
    expect(answer.status).toBe(204)
    await expectRefused(there.access_token)
    expect((await refresh(there.refresh_token)).status).toBe(401)
    expect(await statusOf(here.access_token)).toBe(200)
  })

  test("of somebody else are not found, and nobody's either", async () => {
    const [mine] = await sessionsOf(await signIn(user))
    const { access_token } = await signIn(await createUser())
    const answers: Answer[] = []
    for (const id of [String(mine?.id), 'ses_unknown']) {
      const path = `/api/v1/auth/sessions/${id}`
      answers.push(await ask(path, { method: 'DELETE', key: access_token }))
    }
    expect(answers[0]?.status).toBe(404)
    expect(answers[1]?.text).toBe(answers[0]?.text)
  })
})
