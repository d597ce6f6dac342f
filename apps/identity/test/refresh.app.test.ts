import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createSecretKey } from 'node:crypto'
import { credentials, status } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import {
  type IssueTokenResponse,
  type RefreshTokenResponse,
  type TokenPair,
  TokenServiceClient,
} from '@olytix/proto'
import { z } from 'zod'
import { refreshToken } from '../src/tokens/refresh-token.js'
import { decodePart, stolenKeys } from './forge.js'
import {
  ADMIN_EMAIL,
  ADMIN_KEY,
  ADMIN_PASSWORD,
  as,
  failure,
  Harness,
  unary,
  USER_PASSWORD,
} from './harness.js'

const DAY_MS = 86_400_000

describe.each(['HS256', 'ES256', 'RS256'] as const)('a refresh token under %s', (algorithm) => {
  let identity: Harness

  beforeAll(async () => {
    identity = await Harness.start({ OLYTIX_SECURITY__JWT_ALGORITHM: algorithm })
  })

  afterAll(() => identity.end())

  test('1 used 100 times in a row takes 100 steps and no rows', async () => {
    let pair = await identity.signIn()
    const rows = await countSessions()
    for (let step = 0; step < 100; step += 1) pair = await identity.refresh(pair.refreshToken)
    expect(await sessionOf(pair)).toMatchObject({ counter: 100, ended_at: null })
    expect(await countSessions()).toEqual(rows)
  })

  test('2 used 50 times at once over two processes takes one step and gives one pair', async () => {
    const pair = await identity.signIn()
    const one = identity.tokenClient
    await identity.startAnother()
    const other = identity.tokenClient
    const pairs = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        unary<RefreshTokenResponse>((done) =>
          [one, other][index % 2]?.refreshToken({ refreshToken: pair.refreshToken }, done),
        ).then(({ tokens }) => tokens),
      ),
    )
    expect((await sessionOf(pair)).counter).toBe(1)
    expect(new Set(pairs.map((each) => each?.refreshToken)).size).toBe(1)
    expect(new Set(pairs.map((each) => claimsOf(each?.accessToken))).size).toBe(1)
    if (algorithm === 'HS256')
      expect(new Set(pairs.map((each) => JSON.stringify(each))).size).toBe(1)
  })

  test('3, 9 of a lost reply gets the same pair again for 10 s, and twice', async () => {
    const pair = await identity.signIn()
    const next = await identity.refresh(pair.refreshToken)
    identity.clock.advance(10_000)
    const again = await identity.refresh(pair.refreshToken)
    const thrice = await identity.refresh(pair.refreshToken)
    for (const repeated of [again, thrice]) {
      expect(repeated.refreshToken).toBe(next.refreshToken)
      expect(repeated.expiresIn).toBe(3600)
      expect(claimsOf(repeated.accessToken)).toBe(claimsOf(next.accessToken))
      if (algorithm === 'HS256') expect(repeated).toEqual(next)
    }
    expect((await identity.refresh(next.refreshToken)).refreshToken).not.toBe(next.refreshToken)
  })

  test.each<[string, number, number]>([
    ['the previous one after the grace', 1, 10_001],
    ['any older one, at once', 2, 0],
    ['any older one, later', 5, 60_000],
  ])('4 ends the family when it is %s', async (_which, steps, laterMs) => {
    const pair = await identity.signIn()
    let latest = pair
    for (let step = 0; step < steps; step += 1) latest = await identity.refresh(latest.refreshToken)
    identity.clock.advance(laterMs)
    expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect((await failure(identity.refresh(latest.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect(await reasonFor(latest.accessToken)).toBe('DENIAL_REASON_REVOKED_CREDENTIAL')
    expect(await eventsOf(pair)).toEqual(['session_created', 'refresh_reuse_detected'])
  })

  test('5, 6, 8 that is none of ours costs no statement, and all answers are the same', async () => {
    const pair = await identity.signIn()
    const stranger = { ...(await ownKey()), signing: createSecretKey(Buffer.alloc(32, 1)) }
    const sessionId = String(decodePart(pair.accessToken, 1)['sid'])
    const forged = [1, 2 ** 31, 2 ** 32 - 1].map((counter) =>
      refreshToken({ sessionId, counter }, stranger),
    )
    const flipped = Array.from(pair.refreshToken, (letter, at) => {
      const other = letter === 'A' ? 'B' : 'A'
      return pair.refreshToken.slice(0, at) + other + pair.refreshToken.slice(at + 1)
    }).filter((text) => text !== pair.refreshToken)
    const cut = Array.from(pair.refreshToken, (_, at) => pair.refreshToken.slice(0, at))
    const spelled = [' ', '\n', '=', '\0'].map((end) => pair.refreshToken + end)
    const kinds = [pair.accessToken, ADMIN_KEY, 'x'.repeat(500_000), 'refresh_', 'REFRESH_x']
    const attempts = [...forged, ...flipped, ...cut, ...spelled, ...kinds]
    const client = identity.tokenClient
    identity.proxy.statements.splice(0)
    const codes = new Set<string>()
    for (const attempt of attempts) {
      const error = await failure(
        unary((done) => client.refreshToken({ refreshToken: attempt }, done)),
      )
      codes.add(`${String(error.code)} ${error.details}`)
    }
    expect([...codes]).toEqual(['16 Invalid or missing authentication'])
    const asked = identity.proxy.statements.filter((text) => /sessions|signing_keys/.test(text))
    expect(asked).toEqual([])
    await identity.refresh(pair.refreshToken)
  })

  test('7 for another session, by our own key, touches neither family', async () => {
    const [one, other] = [await identity.signIn(), await identity.signIn()]
    const sessionId = String(decodePart(other.accessToken, 1)['sid'])
    const ahead = refreshToken({ sessionId, counter: 7 }, await ownKey())
    expect((await failure(identity.refresh(ahead))).code).toBe(status.UNAUTHENTICATED)
    await identity.refresh(one.refreshToken)
    await identity.refresh(other.refreshToken)
  })

  test.each<[string, (user: { id: string; pair: TokenPair }) => Promise<unknown>]>([
    ['the user is disabled', ({ id }) => identity.updateUser(id, { disabled: true })],
    ['the user is deleted', ({ id }) => deleteUser(id)],
    ['the password was changed elsewhere', ({ id }) => changeElsewhere(id)],
    ['the session was ended', ({ pair }) => endSession(pair)],
    ['the user signed out', ({ pair }) => signOut(pair.refreshToken)],
  ])('10 is refused once %s', async (_what, change) => {
    const { user } = await identity.createUser()
    const pair = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    await change({ id: user.id, pair })
    expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect((await identity.authorize({ credential: pair.accessToken })).decision).toBe(
      'DECISION_DENY',
    )
  })

  test('11 idles for 14 days less a second, and not for 14 days', async () => {
    const [early, late] = [await identity.signIn(), await identity.signIn()]
    identity.clock.advance(14 * DAY_MS - 1000)
    await identity.refresh(early.refreshToken)
    identity.clock.advance(1000)
    expect((await failure(identity.refresh(late.refreshToken))).code).toBe(status.UNAUTHENTICATED)
  })

  test('11 ends after 90 days however often it is refreshed, and takes its token along', async () => {
    let pair = await identity.signIn()
    for (let day = 10; day < 90; day += 10) {
      identity.clock.advance(10 * DAY_MS)
      pair = await identity.refresh(pair.refreshToken)
    }
    identity.clock.advance(10 * DAY_MS - 1000)
    pair = await identity.refresh(pair.refreshToken)
    expect(await reasonFor(pair.accessToken)).toBe('DENIAL_REASON_UNSPECIFIED')
    identity.clock.advance(1000)
    expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect(await reasonFor(pair.accessToken)).toBe('DENIAL_REASON_EXPIRED_CREDENTIAL')
  })

  test('12 survives a process that dies after the step and before the reply', async () => {
    const pair = await identity.signIn()
    const next = await identity.refresh(pair.refreshToken)
    await identity.stop()
    await identity.startAnother()
    expect((await identity.refresh(pair.refreshToken)).refreshToken).toBe(next.refreshToken)
    identity.clock.advance(10_001)
    expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.UNAUTHENTICATED)
  })

  test.each<[string, number]>([
    ['current', 0],
    ['previous', 1],
  ])(
    '13 signs out by the %s one, which says nothing about whether it did',
    async (_which, steps) => {
      const pair = await identity.signIn()
      let latest = pair
      for (let step = 0; step < steps; step += 1)
        latest = await identity.refresh(latest.refreshToken)
      await signOut(pair.refreshToken)
      await signOut(pair.refreshToken)
      await signOut('nonsense')
      expect((await failure(identity.refresh(latest.refreshToken))).code).toBe(
        status.UNAUTHENTICATED,
      )
      expect(await reasonFor(latest.accessToken)).toBe('DENIAL_REASON_REVOKED_CREDENTIAL')
      expect(await eventsOf(pair)).toEqual(['session_created', 'session_revoked'])
    },
  )

  test('14 by a former key works until that key is revoked', async () => {
    const [early, late] = [await identity.signIn(), await identity.signIn()]
    const former = await ownKey()
    await rotate()
    const next = await identity.refresh(early.refreshToken)
    expect(await reasonFor(early.accessToken)).toBe('DENIAL_REASON_UNSPECIFIED')
    await revokeKey(former.id)
    expect((await failure(identity.refresh(late.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    await identity.refresh(next.refreshToken)
  })

  async function ownKey() {
    const key = (await stolenKeys(identity, 'HMAC-SHA-256')).get('active')
    if (!key) throw new Error('no active key')
    return key
  }

  async function reasonFor(credential: string): Promise<string> {
    return (await identity.authorize({ credential })).denialReason
  }

  function claimsOf(token = ''): string {
    return JSON.stringify(decodePart(token, 1))
  }

  async function sessionOf(pair: TokenPair): Promise<{ counter: number; ended_at: Date | null }> {
    const row = await identity.owner.maybeOne(
      z.object({ counter: z.int(), ended_at: z.date().nullable() }),
      sql`select counter, ended_at from sessions where id = ${decodePart(pair.accessToken, 1)['sid']}`,
    )
    if (!row) throw new Error('no such session')
    return row
  }

  async function eventsOf(pair: TokenPair): Promise<string[]> {
    const rows = await identity.owner.many(
      z.object({ event_type: z.string() }),
      sql`
        select event_type from audit_events
        where subject_id = ${decodePart(pair.accessToken, 1)['sid']} order by id`,
    )
    return rows.map((row) => row.event_type)
  }

  async function countSessions(): Promise<unknown> {
    return identity.owner.many(z.unknown(), sql`select count(*)::int from sessions`)
  }

  function deleteUser(id: string): Promise<unknown> {
    const client = identity.userClient
    return unary((done) => client.deleteUser({ id }, as(ADMIN_KEY), done))
  }

  async function changeElsewhere(id: string): Promise<void> {
    const { user } = await unary<{ user?: { email: string } | undefined }>((done) =>
      identity.userClient.getUser({ id }, as(ADMIN_KEY), done),
    )
    const { accessToken } = await identity.signIn({
      username: user?.email ?? '',
      password: USER_PASSWORD,
    })
    const message = { currentPassword: USER_PASSWORD, newPassword: 'a wholly different phrase' }
    await unary((done) => identity.tokenClient.changePassword(message, as(accessToken), done))
  }

  function endSession({ accessToken }: TokenPair): Promise<unknown> {
    const id = String(decodePart(accessToken, 1)['sid'])
    return unary((done) => identity.tokenClient.revokeSession({ id }, as(accessToken), done))
  }

  function signOut(token: string): Promise<unknown> {
    return unary((done) => identity.tokenClient.revokeToken({ refreshToken: token }, done))
  }

  function rotate(): Promise<unknown> {
    return unary((done) => identity.tokenClient.rotateSigningKey({}, as(ADMIN_KEY), done))
  }

  function revokeKey(id: string): Promise<unknown> {
    return unary((done) => identity.tokenClient.revokeSigningKey({ id }, as(ADMIN_KEY), done))
  }
})

test('a sign-in under way when the password changes does not begin a session', async () => {
  const identity = await Harness.start()
  try {
    const client = new TokenServiceClient(identity.address, credentials.createInsecure())
    const attempts = Array.from({ length: 8 }, () =>
      unary<IssueTokenResponse>((done) =>
        client.issueToken({ username: ADMIN_EMAIL, password: ADMIN_PASSWORD, userAgent: '' }, done),
      ),
    )
    await identity.owner.execute(sql`update users set credentials_epoch = credentials_epoch + 1`)
    const settled = await Promise.allSettled(attempts)
    client.close()
    for (const outcome of settled) {
      if (outcome.status === 'fulfilled') {
        const credential = outcome.value.tokens?.accessToken ?? ''
        const sid = String(decodePart(credential, 1)['sid'])
        const [session] = await identity.owner.many(
          z.object({ live: z.boolean() }),
          sql`
            select sessions.epoch = users.credentials_epoch as live
            from sessions join users on users.id = sessions.user_id where sessions.id = ${sid}`,
        )
        const { decision } = await identity.authorize({ credential })
        expect(decision).toBe(session?.live ? 'DECISION_ALLOW' : 'DECISION_DENY')
      }
    }
  } finally {
    await identity.end()
  }
})
