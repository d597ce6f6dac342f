import { hash } from '@node-rs/argon2'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import type { IssueTokenRequest } from '@olytix/proto'
import { z } from 'zod'
import {
  ADMIN_KEY,
  as,
  callMetadata,
  failure,
  Harness,
  SERVICE_TOKEN,
  unary,
  USER_PASSWORD,
} from './harness.js'

const NEW_PASSWORD = 'a phrase that is new here'

let identity: Harness
let hosts = 0

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('a failed sign-in', () => {
  test('answers byte for byte alike for a wrong password, an unknown, disabled or deleted user, and one without a password', async () => {
    const { user } = await identity.createUser()
    const { user: disabled } = await identity.createUser({ disabled: true })
    const { user: deleted } = await identity.createUser()
    const { user: invited } = await identity.createUser({ password: undefined })
    await unary((done) => identity.userClient.deleteUser({ id: deleted.id }, as(ADMIN_KEY), done))
    const attempts: Partial<IssueTokenRequest>[] = [
      { username: user.email, password: 'not the password' },
      { username: 'nobody@example.com', password: USER_PASSWORD },
      { username: disabled.email, password: USER_PASSWORD },
      { username: deleted.email, password: USER_PASSWORD },
      { username: invited.email, password: USER_PASSWORD },
      { username: 'no address at all', password: USER_PASSWORD },
      { username: '', password: '' },
    ]
    const answers = new Set<string>()
    for (const attempt of attempts) {
      const error = await failure(identity.signIn(attempt, fromAnywhere()))
      const { date: _, ...trailers } = error.metadata.getMap()
      answers.add(JSON.stringify([error.code, error.details, trailers]))
    }
    expect([...answers]).toEqual([
      JSON.stringify([
        status.UNAUTHENTICATED,
        'Invalid or missing authentication',
        { 'error-code': 'UNAUTHORIZED' },
      ]),
    ])
  })

  test.each(['signIn', 'change', 'redeem'] as const)(
    'with an endless password is refused before it is hashed: %s',
    async (way) => {
      const { accessToken } = await identity.signIn({}, fromAnywhere())
      const password = 'p'.repeat(900_000)
      const ways = {
        signIn: () => identity.signIn({ password }, fromAnywhere()),
        change: () => changePassword(accessToken, password, NEW_PASSWORD),
        redeem: () => redeem(`reset_${'A'.repeat(43)}`, password),
      }
      const error = await failure(ways[way]())
      expect(error.code).toBe(status.INVALID_ARGUMENT)
    },
  )

  test('does not take two passwords for one because they begin alike', async () => {
    const start = 'x1'.repeat(36)
    const { user } = await identity.createUser({ password: `${start} and one end` })
    const wrong = { username: user.email, password: `${start} and another` }
    expect((await failure(identity.signIn(wrong, fromAnywhere()))).code).toBe(
      status.UNAUTHENTICATED,
    )
    await identity.signIn({ username: user.email, password: `${start} and one end` })
  })
})

describe('guessing a password', () => {
  test('waits from the fifth failure on, longer each time, and no longer than it must', async () => {
    const { user } = await identity.createUser()
    const from = fromAnywhere()
    for (let tries = 0; tries < 5; tries += 1) expect(await guess(user.email, from)).toBe(16)
    expect(await guess(user.email, from)).toBe(status.RESOURCE_EXHAUSTED)
    const early = await failure(
      identity.signIn({ username: user.email, password: USER_PASSWORD }, from),
    )
    expect([early.code, early.details]).toEqual([
      status.RESOURCE_EXHAUSTED,
      'Too many failed attempts; try again in 1 s',
    ])
    identity.clock.advance(1_000)
    expect(await guess(user.email, from)).toBe(status.UNAUTHENTICATED)
    identity.clock.advance(1_999)
    expect(await guess(user.email, from)).toBe(status.RESOURCE_EXHAUSTED)
    identity.clock.advance(1)
    await identity.signIn({ username: user.email, password: USER_PASSWORD }, from)
    for (let tries = 0; tries < 5; tries += 1) expect(await guess(user.email, from)).toBe(16)
    expect(await guess(user.email, from)).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('from one network locks nobody out of another, is not forgotten by a restart, and tells nothing about who exists', async () => {
    const { user } = await identity.createUser()
    const stranger = fromAnywhere()
    for (const email of [user.email, 'ghost@example.com']) {
      for (let tries = 0; tries < 5; tries += 1) expect(await guess(email, stranger)).toBe(16)
      expect(await guess(email, stranger)).toBe(status.RESOURCE_EXHAUSTED)
    }
    await identity.signIn({ username: user.email, password: USER_PASSWORD }, fromAnywhere())
    await identity.stop()
    await identity.startAnother()
    expect(await guess(user.email, stranger)).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('is counted once for all spellings of an address and all hosts of a /64', async () => {
    const { user } = await identity.createUser()
    const spellings = [user.email, user.email.toUpperCase(), user.email.replace('@', '＠')]
    for (let tries = 0; tries < 5; tries += 1) {
      const from = fromAddress(`2001:db8:77:1::${String(tries)}`)
      expect(await guess(spellings[tries % 3] ?? '', from)).toBe(status.UNAUTHENTICATED)
    }
    const neighbour = fromAddress('2001:db8:77:1:ffff::1')
    expect(await guess(user.email, neighbour)).toBe(status.RESOURCE_EXHAUSTED)
    expect(await guess(user.email, fromAddress('2001:db8:77:2::1'))).toBe(16)
  })

  test('of many accounts from one network waits in the end', async () => {
    const from = fromAnywhere()
    const codes = []
    for (let tries = 0; tries < 51; tries += 1) {
      codes.push(await guess(`account${String(tries)}@example.com`, from))
    }
    expect(codes.lastIndexOf(status.UNAUTHENTICATED)).toBe(49)
    expect(codes.at(-1)).toBe(status.RESOURCE_EXHAUSTED)
  })

  test('by changing a password waits as well', async () => {
    const { user } = await identity.createUser()
    const from = fromAnywhere()
    const signIn = { username: user.email, password: USER_PASSWORD }
    const { accessToken } = await identity.signIn(signIn, from)
    for (const metadata of Array.from({ length: 5 }, () => from.clone())) {
      const wrong = changePassword(accessToken, 'not the password', NEW_PASSWORD, metadata)
      expect((await failure(wrong)).code).toBe(status.PERMISSION_DENIED)
    }
    const right = changePassword(accessToken, USER_PASSWORD, NEW_PASSWORD, from.clone())
    expect((await failure(right)).code).toBe(status.RESOURCE_EXHAUSTED)
  })
})

describe('many sign-ins at once', () => {
  test('are hashed a few at a time, and what is too much is told to come back', async () => {
    const { user } = await identity.createUser()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 120 }, () =>
        identity.signIn({ username: user.email, password: USER_PASSWORD }, fromAnywhere()),
      ),
    )
    const refused = outcomes.flatMap((outcome): ServiceError[] =>
      outcome.status === 'rejected' ? [outcome.reason as ServiceError] : [],
    )
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(120)
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set([status.RESOURCE_EXHAUSTED]))
    await identity.signIn({ username: user.email, password: USER_PASSWORD }, fromAnywhere())
  })
})

describe('a password hash', () => {
  test('is argon2id in PHC form, and made anew at sign-in when its parameters are old', async () => {
    const { user } = await identity.createUser()
    expect(await hashOf(user.id)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const old = await hash(USER_PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    await identity.owner.execute(sql`update users set password_hash = ${old} where id = ${user.id}`)
    const signIn = { username: user.email, password: USER_PASSWORD }
    const first = await identity.signIn(signIn, fromAnywhere())
    expect(await hashOf(user.id)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    await identity.signIn(signIn, fromAnywhere())
    await identity.refresh(first.refreshToken)
  })
})

describe('changing one’s own password', () => {
  test('ends the other sessions and keeps the one it is done with', async () => {
    const { user } = await identity.createUser()
    const signIn = { username: user.email, password: USER_PASSWORD }
    const [own, other] = [await identity.signIn(signIn), await identity.signIn(signIn)]
    await changePassword(own.accessToken, USER_PASSWORD, NEW_PASSWORD)
    expect((await identity.authorize({ credential: own.accessToken })).decision).toBe(
      'DECISION_ALLOW',
    )
    await identity.refresh(own.refreshToken)
    expect((await identity.authorize({ credential: other.accessToken })).denialReason).toBe(
      'DENIAL_REASON_REVOKED_CREDENTIAL',
    )
    expect((await failure(identity.refresh(other.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect((await failure(identity.signIn(signIn, fromAnywhere()))).code).toBe(16)
    await identity.signIn({ username: user.email, password: NEW_PASSWORD }, fromAnywhere())
    expect(await eventsOf(user.id)).toEqual(['user_created', 'password_changed', 'authentication'])
  })

  test.each([
    ['short', /at least 12 characters/],
    ['password1234', /attacker/],
    ['a'.repeat(1025), /1,024 bytes/],
    ['own', /attacker/],
  ])('to %s is refused', async (wanted, problem) => {
    const { user } = await identity.createUser()
    const { accessToken } = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    const password = wanted === 'own' ? user.email : wanted
    const error = await failure(changePassword(accessToken, USER_PASSWORD, password))
    expect([error.code, error.details]).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringMatching(problem),
    ])
  })

  test('is not for API keys', async () => {
    const error = await failure(changePassword(ADMIN_KEY, USER_PASSWORD, NEW_PASSWORD))
    expect(error.code).toBe(status.PERMISSION_DENIED)
  })
})

describe('a token that works once', () => {
  test('sets the first password, proves the address, and is used up', async () => {
    const { user, invite } = await identity.createUser({ password: undefined })
    expect(invite?.secret).toMatch(/^invite_/)
    const weekMs = 7 * 86_400_000
    expect(invite?.expiresAt).toEqual(new Date(identity.clock.at.getTime() + weekMs))
    await redeem(invite?.secret ?? '', NEW_PASSWORD)
    expect((await failure(redeem(invite?.secret ?? '', NEW_PASSWORD))).code).toBe(16)
    await identity.signIn({ username: user.email, password: NEW_PASSWORD })
    const shown = await unary<{ user?: { emailVerified: boolean } | undefined }>((done) =>
      identity.userClient.getUser({ id: user.id }, as(ADMIN_KEY), done),
    )
    expect(shown.user?.emailVerified).toBe(true)
  })

  test('is redeemed by one of 20 at once', async () => {
    const { user } = await identity.createUser()
    const secret = await resetToken(user.id)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => redeem(secret, `${NEW_PASSWORD} ${String(index)}`)),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    expect(await eventsOf(user.id)).toEqual(['user_created', 'user_updated', 'password_changed'])
  })

  test('ends every session, and the refresh tokens with them', async () => {
    const { user } = await identity.createUser()
    const pair = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    await redeem(await resetToken(user.id), NEW_PASSWORD)
    expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect((await identity.authorize({ credential: pair.accessToken })).decision).toBe(
      'DECISION_DENY',
    )
  })

  test.each([
    ['reset', 30 * 60_000],
    ['invite', 7 * 86_400_000],
  ])('as %s works until it expires, and not then', async (kind, lifeMs) => {
    const make = async (): Promise<string> => {
      const { user, invite } = await identity.createUser(
        kind === 'invite' ? { password: undefined } : {},
      )
      return invite?.secret ?? (await resetToken(user.id))
    }
    const [early, late] = [await make(), await make()]
    identity.clock.advance(lifeMs - 1)
    await redeem(early, NEW_PASSWORD)
    identity.clock.advance(1)
    expect((await failure(redeem(late, NEW_PASSWORD))).code).toBe(status.UNAUTHENTICATED)
  })

  test('ends when another is made, and is good for its own purpose only', async () => {
    const { user } = await identity.createUser()
    const [former, latter] = [await resetToken(user.id), await resetToken(user.id)]
    const renamed = latter.replace('reset_', 'invite_')
    for (const token of [former, renamed, `${latter} `, '', 'reset_', `reset_${'A'.repeat(43)}`]) {
      expect((await failure(redeem(token, NEW_PASSWORD))).code).toBe(status.UNAUTHENTICATED)
    }
    await redeem(latter, NEW_PASSWORD)
  })

  test('survives a password that is refused', async () => {
    const { user } = await identity.createUser()
    const secret = await resetToken(user.id)
    expect((await failure(redeem(secret, user.email))).code).toBe(status.INVALID_ARGUMENT)
    await redeem(secret, NEW_PASSWORD)
  })

  test('is in the database as a hash alone', async () => {
    const { user, invite } = await identity.createUser({ password: undefined })
    const rows = await identity.owner.many(
      z.unknown(),
      sql`
        select one_time_tokens::text as row from one_time_tokens where user_id = ${user.id}
        union all
        select audit_events::text from audit_events`,
    )
    const secret = invite?.secret.replace('invite_', '') ?? 'none'
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret).toString('hex'))
  })
})

/** Each time from another network, as one of our services tells it. */
function fromAnywhere(): Metadata {
  hosts += 1
  return fromAddress(`198.51.${String(hosts >> 8)}.${String(hosts & 255)}`)
}

function fromAddress(clientIp: string): Metadata {
  return callMetadata({ 'service-token': SERVICE_TOKEN, 'client-ip': clientIp })
}

async function guess(username: string, from: Metadata): Promise<number> {
  return (await failure(identity.signIn({ username, password: 'not the password' }, from))).code
}

function changePassword(
  credential: string,
  currentPassword: string,
  newPassword: string,
  metadata = callMetadata({}),
): Promise<unknown> {
  metadata.set('authorization', `Bearer ${credential}`)
  const message = { currentPassword, newPassword }
  return unary((done) => identity.tokenClient.changePassword(message, metadata, done))
}

function redeem(token: string, newPassword: string): Promise<unknown> {
  return unary((done) => identity.tokenClient.redeemPasswordToken({ token, newPassword }, done))
}

async function resetToken(id: string): Promise<string> {
  const { token } = await unary<{ token?: { secret: string } | undefined }>((done) =>
    identity.userClient.resetUserPassword({ id }, as(ADMIN_KEY), done),
  )
  return token?.secret ?? ''
}

async function hashOf(id: string): Promise<string | undefined> {
  const row = await identity.owner.maybeOne(
    z.object({ password_hash: z.string() }),
    sql`select password_hash from users where id = ${id}`,
  )
  return row?.password_hash
}

async function eventsOf(subjectId: string): Promise<string[]> {
  const rows = await identity.owner.many(
    z.object({ event_type: z.string() }),
    sql`select event_type from audit_events where subject_id = ${subjectId} order by id`,
  )
  return rows.map((row) => row.event_type)
}
