import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { Database, sql } from '@olytix/postgres'
import { failure } from '../harness.js'
import { aVerifier, SignInFlow } from './sign-in-flow.js'

let flow: SignInFlow

beforeAll(async () => {
  const entry = { allowed_domains: ['example.com'], default_roles: ['viewer'] }
  flow = await SignInFlow.start({ corp: entry, other: entry })
})

afterAll(() => flow.end())

beforeEach(() => {
  flow.identity.clock.advance(61_000)
})

/** Refused in the one form there is, for this reason. */
async function expectRefusal(
  redeem: (call: ReturnType<SignInFlow['call']>) => Promise<unknown>,
  reason: string,
): Promise<void> {
  const call = flow.call()
  const { code, details } = await failure(redeem(call))
  expect([code, details]).toEqual([status.UNAUTHENTICATED, 'Invalid or missing authentication'])
  expect(await flow.refusalOf(call)).toMatchObject({
    denial_reason: reason,
    subject_id: 'OAuthController.redeemCode',
  })
}

async function liveSessions(): Promise<number> {
  return flow.identity.owner.execute(sql`select from sessions where ended_at is null`)
}

async function userId(): Promise<string> {
  const { principal } = await flow.whoIs(await flow.signIn())
  return principal?.id ?? ''
}

describe('a one-time code', () => {
  test('is exchanged for tokens that work and can be refreshed', async () => {
    const { code, codeVerifier } = await flow.signInForCode()
    const { tokens } = await flow.redeem(code, codeVerifier)
    if (!tokens) throw new Error('no tokens')
    expect(await flow.whoIs(tokens)).toMatchObject({ decision: 'DECISION_ALLOW' })
    const next = await flow.identity.refresh(tokens.refreshToken)
    expect(await flow.whoIs(next)).toMatchObject({ decision: 'DECISION_ALLOW' })
  })

  test('begins no session before that', async () => {
    const before = await liveSessions()
    await flow.signInForCode()
    expect(await liveSessions()).toBe(before)
  })

  test('is not in the database as it is', async () => {
    const { code } = await flow.signInForCode()
    const found = await flow.identity.owner.execute(
      sql`select from oauth_codes where strpos(oauth_codes::text, ${code}) > 0`,
    )
    expect(found).toBe(0)
  })

  test('of one replica is good at another', async () => {
    const { code, codeVerifier } = await flow.signInForCode()
    const another = await flow.identity.startAnother()
    try {
      expect((await flow.redeem(code, codeVerifier)).tokens).toBeDefined()
    } finally {
      await flow.identity.stopOne(another)
    }
  })

  test('works until 60 seconds are over', async () => {
    const soon = await flow.signInForCode()
    const late = await flow.signInForCode()
    flow.identity.clock.advance(59_999)
    expect((await flow.redeem(soon.code, soon.codeVerifier)).tokens).toBeDefined()
    flow.identity.clock.advance(1)
    await expectRefusal((call) => flow.redeem(late.code, late.codeVerifier, call), 'expired_code')
  })

  test('that was never issued is refused', async () => {
    const { codeVerifier } = aVerifier()
    const never = `code_${'A'.repeat(43)}`
    await expectRefusal((call) => flow.redeem(never, codeVerifier, call), 'unknown_code')
    await expectRefusal((call) => flow.redeem('nonsense', codeVerifier, call), 'unknown_code')
  })

  test.each([
    ['another verifier', aVerifier().codeVerifier],
    ['no verifier', ''],
  ])('with %s is refused', async (_what, wrong) => {
    const { code } = await flow.signInForCode()
    await expectRefusal((call) => flow.redeem(code, wrong, call), 'wrong_code_verifier')
  })

  test('is used up by a wrong verifier', async () => {
    const { code, codeVerifier } = await flow.signInForCode()
    const wrong = aVerifier().codeVerifier
    await expectRefusal((call) => flow.redeem(code, wrong, call), 'wrong_code_verifier')
    await expectRefusal((call) => flow.redeem(code, codeVerifier, call), 'reused_code')
  })
})

describe('a code that is used again', () => {
  test.each([
    ['with its verifier', true],
    ['without it', false],
  ])('%s is refused and ends the session that it began', async (_what, knowsVerifier) => {
    const { code, codeVerifier } = await flow.signInForCode()
    const { tokens } = await flow.redeem(code, codeVerifier)
    if (!tokens) throw new Error('no tokens')
    const verifier = knowsVerifier ? codeVerifier : aVerifier().codeVerifier
    await expectRefusal((call) => flow.redeem(code, verifier, call), 'reused_code')
    expect(await flow.whoIs(tokens)).toMatchObject({ decision: 'DECISION_DENY' })
    expect((await failure(flow.identity.refresh(tokens.refreshToken))).code).toBe(
      status.UNAUTHENTICATED,
    )
    const ended = await flow.identity.owner.execute(sql`
      select from audit_events
      where event_type = 'session_revoked' and additional_data ->> 'reason' = 'reused_code'
        and timestamp = ${flow.identity.clock.at}`)
    expect(ended).toBe(1)
  })

  test('after its 60 seconds still ends that session', async () => {
    const { code, codeVerifier } = await flow.signInForCode()
    const { tokens } = await flow.redeem(code, codeVerifier)
    if (!tokens) throw new Error('no tokens')
    flow.identity.clock.advance(600_000)
    await expectRefusal((call) => flow.redeem(code, codeVerifier, call), 'reused_code')
    expect(await flow.whoIs(tokens)).toMatchObject({ decision: 'DECISION_DENY' })
  })

  test('20 times at once leaves nobody signed in, or one who came alone before', async () => {
    const { code, codeVerifier } = await flow.signInForCode()
    const before = await liveSessions()
    const all = Array.from({ length: 20 }, () => flow.redeem(code, codeVerifier))
    const outcomes = await Promise.allSettled(all)
    expect(outcomes.filter(({ status: outcome }) => outcome === 'fulfilled').length).toBeLessThan(2)
    expect(await liveSessions()).toBe(before)
  })

  test('while its session is beginning ends it, and nobody gets tokens', async () => {
    const { code, codeVerifier } = await flow.signInForCode()
    const before = await liveSessions()
    const { ownerUrl } = flow.identity.testDatabase
    const holder = new Database({ url: ownerUrl, maxConnections: 1 })
    const call = flow.call()
    const first = await holder.transaction(async (transaction) => {
      await transaction.execute(sql`select from revisions for update`)
      const redeemed = failure(flow.redeem(code, codeVerifier, call))
      await untilTaken()
      await failure(flow.redeem(code, codeVerifier))
      return { redeemed }
    })
    expect((await first.redeemed).code).toBe(status.UNAUTHENTICATED)
    await holder.close()
    expect(await liveSessions()).toBe(before)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'reused_code' })
  })
})

describe('between callback and exchange', () => {
  test('a user who is disabled is not let in', async () => {
    const id = await userId()
    const { code, codeVerifier } = await flow.signInForCode()
    await flow.identity.updateUser(id, { disabled: true })
    await expectRefusal((call) => flow.redeem(code, codeVerifier, call), 'user_changed')
    await flow.identity.updateUser(id, { disabled: false })
  })

  test('a user whose every session ended is not let in', async () => {
    const id = await userId()
    const { code, codeVerifier } = await flow.signInForCode()
    await flow.identity.updateUser(id, { disabled: true })
    await flow.identity.updateUser(id, { disabled: false })
    await expectRefusal((call) => flow.redeem(code, codeVerifier, call), 'user_changed')
  })
})

async function untilTaken(): Promise<void> {
  const deadline = performance.now() + 5_000
  const taken = sql`
    select from oauth_codes where redeemed_at = ${flow.identity.clock.at} and session_id is null`
  while ((await flow.identity.owner.execute(taken)) === 0) {
    if (performance.now() > deadline) throw new Error('the code was never taken')
  }
}
