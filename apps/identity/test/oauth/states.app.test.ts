import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import { failure } from '../harness.js'
import { APP_CALLBACK, aVerifier, type Begun, SignInFlow } from './sign-in-flow.js'

const UNPROVED = [status.UNAUTHENTICATED, 'Invalid or missing authentication']

let flow: SignInFlow

beforeAll(async () => {
  const entry = { allowed_domains: ['example.com'], default_roles: ['viewer'] }
  flow = await SignInFlow.start({
    corp: { ...entry, display_name: 'The corporation' },
    other: entry,
  })
})

afterAll(() => flow.end())

beforeEach(() => {
  flow.identity.clock.advance(61_000)
  flow.corp.lies = {}
})

/** The outcome of a call as gRPC tells it. */
async function refused(call: Promise<unknown>): Promise<unknown[]> {
  const { code, details } = await failure(call)
  return [code, details]
}

describe('the providers', () => {
  test('are those of the project file, in its order', async () => {
    const { providers } = await flow.list()
    expect(providers).toEqual([
      { name: 'corp', displayName: 'The corporation' },
      { name: 'other', displayName: expect.any(String) },
    ])
  })

  test('that nobody declared are not found', async () => {
    expect((await failure(flow.begin({ provider: 'nobody' }))).code).toBe(status.NOT_FOUND)
  })
})

describe('a sign-in', () => {
  test('that comes back to the browser that began it gets tokens', async () => {
    const tokens = await flow.signIn()
    expect(await flow.whoIs(tokens)).toMatchObject({
      principal: { email: 'ada@example.com' },
      roles: ['viewer'],
      scopes: ['read'],
    })
  })

  test('is recorded as a session of its provider', async () => {
    const call = flow.call()
    await flow.signIn('corp', call)
    const events = await flow.identity.owner.execute(sql`
      select from audit_events
      where event_type = 'session_created' and request_id = ${call.requestId}
        and additional_data ->> 'method' = 'oauth:corp'`)
    expect(events).toBe(1)
  })

  test('that one replica began is finished by another', async () => {
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    const another = await flow.identity.startAnother()
    try {
      expect((await flow.finish(begun, reply)).tokens).toBeDefined()
    } finally {
      await flow.identity.stopOne(another)
    }
  })

  test('keeps nothing that a reader of the database could finish it with', async () => {
    const { state, browserSecret } = await flow.begin()
    const rows = await flow.identity.owner.execute(sql`
      select from oauth_states
      where strpos(oauth_states::text, ${state}) > 0
        or strpos(oauth_states::text, ${browserSecret}) > 0`)
    expect(rows).toBe(0)
  })
})

describe('a state', () => {
  const cases: [string, string, (begun: Begun) => Promise<Partial<Begun> & object>][] = [
    ['of another provider', 'another_provider', () => Promise.resolve({ provider: 'other' })],
    ['without a cookie', 'another_browser', () => Promise.resolve({ browserSecret: '' })],
    [
      'in another browser',
      'another_browser',
      async () => ({ browserSecret: (await flow.begin()).browserSecret }),
    ],
  ]

  test.each(cases)('%s is refused as %s, and is used up', async (_what, reason, change) => {
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    const before = await flow.rowCounts()
    const call = flow.call()
    const changed = { ...begun, ...(await change(begun)) }
    expect(await refused(flow.finish(changed, reply, {}, call))).toEqual(UNPROVED)
    expect(await flow.refusalOf(call)).toMatchObject({
      denial_reason: reason,
      subject_id: 'OAuthController.finishSignIn',
      client_ip: '192.0.2.7',
      additional_data: { provider: changed.provider },
    })
    expect(await refused(flow.finish(begun, reply))).toEqual(UNPROVED)
    expect(await flow.rowCounts()).toMatchObject(before ?? {})
  })

  test('works once', async () => {
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    expect((await flow.finish(begun, reply)).tokens).toBeDefined()
    const call = flow.call()
    expect(await refused(flow.finish(begun, reply, {}, call))).toEqual(UNPROVED)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'unknown_state' })
  })

  test('that nobody issued is refused', async () => {
    const begun = { ...(await flow.begin()), state: 'A'.repeat(43) }
    expect(await refused(flow.finish(begun, { state: begun.state, code: 'c' }))).toEqual(UNPROVED)
  })

  test.each([
    ['works', 599_999, true],
    ['is refused', 600_000, false],
  ])('%s %d ms after it was issued', async (_what, ms, works) => {
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    flow.identity.clock.advance(ms)
    const call = flow.call()
    const finished = flow.finish(begun, reply, {}, call)
    if (works) {
      expect((await finished).tokens).toBeDefined()
    } else {
      expect(await refused(finished)).toEqual(UNPROVED)
      expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'expired_state' })
    }
  })

  test('that comes back 20 times at once, at two replicas, gives one login', async () => {
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    const before = await flow.rowCounts()
    const first = Array.from({ length: 10 }, () => flow.finish(begun, reply))
    const another = await flow.identity.startAnother()
    const second = Array.from({ length: 10 }, () => flow.finish(begun, reply))
    const finished = await Promise.allSettled([...first, ...second])
    await flow.identity.stopOne(another)
    expect(finished.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    expect((await flow.rowCounts())?.['sessions']).toBe((before?.['sessions'] ?? 0) + 1)
  })
})

describe('a callback', () => {
  test.each([
    ['without a state', { state: '' }],
    ['with both code and error', { error: 'access_denied' }],
    ['with neither', { code: '' }],
  ])('%s is malformed, and says so to the audit trail', async (_what, changes) => {
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    const call = flow.call()
    expect((await failure(flow.finish(begun, reply, changes, call))).code).toBe(
      status.INVALID_ARGUMENT,
    )
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'malformed_callback' })
  })

  test.each([
    ['U+0000', 'a\0b'],
    ['64 characters', 'a'.repeat(64)],
  ])('for a provider of %s is malformed: the trail could not name it', async (_what, provider) => {
    const begun = await flow.begin()
    const finished = flow.finish(begun, { state: begun.state, code: 'c' }, { provider })
    expect((await failure(finished)).code).toBe(status.INVALID_ARGUMENT)
  })

  test('of somebody who declined at the provider is refused, and nothing is echoed', async () => {
    const begun = await flow.begin()
    const call = flow.call()
    const error = '<script>alert(1)</script>'
    const failed = await failure(flow.finish(begun, { state: begun.state, error }, {}, call))
    expect([failed.code, failed.details]).toEqual(UNPROVED)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'refused_by_provider' })
  })

  test('with a code that the provider does not know is refused', async () => {
    const begun = await flow.begin()
    const call = flow.call()
    const finished = flow.finish(begun, { state: begun.state, code: 'made-up' }, {}, call)
    expect(await refused(finished)).toEqual(UNPROVED)
    expect(await flow.refusalOf(call)).toMatchObject({
      denial_reason: 'provider_answer_rejected',
      additional_data: { provider: 'corp', cause: expect.stringContaining('invalid_grant') },
    })
  })

  test('is refused when another provider answers for this one', async () => {
    const { issuer } = flow.other
    const begun = await flow.begin()
    const reply = { ...(await flow.visit(begun)), iss: issuer }
    const before = await flow.rowCounts()
    expect(await refused(flow.finish(begun, reply))).toEqual(UNPROVED)
    expect(await flow.rowCounts()).toEqual(before)
  })
})

describe('a provider that is down', () => {
  beforeEach(() => {
    flow.corp.lies = { raw: { discovery: { status: 500 }, token: { status: 500 } } }
  })

  test('is said to be so when a sign-in begins, and nothing is kept', async () => {
    const states = await flow.identity.owner.execute(sql`select from oauth_states`)
    const call = flow.call()
    const failed = await failure(flow.begin({}, call))
    expect(failed.code).toBe(status.UNAVAILABLE)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'provider_unavailable' })
    expect(await flow.identity.owner.execute(sql`select from oauth_states`)).toBe(states)
  })

  test('is said to be so when the person comes back', async () => {
    flow.corp.lies = {}
    const begun = await flow.begin()
    const reply = await flow.visit(begun)
    flow.corp.lies = { raw: { token: { status: 500 } } }
    const before = await flow.rowCounts()
    const call = flow.call()
    expect((await failure(flow.finish(begun, reply, {}, call))).code).toBe(status.UNAVAILABLE)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'provider_unavailable' })
    expect(await flow.rowCounts()).toMatchObject({ ...before })
  })
})

describe('a redirect_uri', () => {
  const { codeChallenge } = aVerifier()

  test.each([
    ['registered', APP_CALLBACK],
    ['of this machine', 'http://127.0.0.1:49152/callback'],
    ['of the own page', 'https://olytix.example/login'],
  ])('that is %s is sent the code and the state of its app', async (_what, redirectUri) => {
    const begun = await flow.begin({ redirectUri, codeChallenge, state: 'a b&c' })
    const { tokens, redirectUrl } = await flow.finish(begun, await flow.visit(begun))
    expect(tokens).toBeUndefined()
    expect(redirectUrl.startsWith(`${redirectUri}?`)).toBe(true)
    const parameters = Object.fromEntries(new URL(redirectUrl).searchParams)
    expect(parameters).toEqual({ code: expect.stringMatching(/^code_/), state: 'a b&c' })
  })

  test.each([
    ['is not registered', { redirectUri: 'https://evil.test/callback', codeChallenge }],
    [
      'is a page of another origin',
      { loginUrl: 'https://evil.test/', redirectUri: 'https://evil.test/', codeChallenge },
    ],
    ['has no challenge', { redirectUri: APP_CALLBACK }],
    ['has a challenge of another length', { redirectUri: APP_CALLBACK, codeChallenge: 'A' }],
    ['is missing for a challenge', { codeChallenge }],
    ['is missing for a state', { state: 'x' }],
  ])('that %s is refused before anybody is sent anywhere', async (_what, changes) => {
    const seen = flow.corp.seen.length
    expect((await failure(flow.begin(changes))).code).toBe(status.INVALID_ARGUMENT)
    expect(flow.corp.seen).toHaveLength(seen)
  })

  test('that is not registered is recorded', async () => {
    const call = flow.call()
    const redirectUri = 'https://evil.test/callback'
    await failure(flow.begin({ redirectUri, codeChallenge }, call))
    expect(await flow.refusalOf(call)).toMatchObject({
      denial_reason: 'redirect_uri_not_registered',
    })
  })

  test.each([
    ['declined', 'access_denied', 'refused_by_provider', {}],
    [
      'found the provider down',
      'temporarily_unavailable',
      'provider_unavailable',
      { token: { status: 500 } },
    ],
  ])('of somebody who %s is sent the error %s', async (what, error, reason, raw) => {
    const redirectUri = APP_CALLBACK
    const begun = await flow.begin({ redirectUri, codeChallenge, state: 's' })
    const { state, code } = await flow.visit(begun)
    flow.corp.lies = { raw }
    const before = await flow.rowCounts()
    const declined = { state: state ?? '', error: 'access_denied' }
    const reply = what === 'declined' ? declined : { state: state ?? '', code: code ?? '' }
    const call = flow.call()
    const { redirectUrl } = await flow.finish(begun, reply, {}, call)
    expect(redirectUrl).toBe(`${redirectUri}?error=${error}&state=s`)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: reason })
    expect(await flow.rowCounts()).toMatchObject({ ...before })
  })

  test('is sent nothing when the state does not hold', async () => {
    const begun = await flow.begin({ redirectUri: APP_CALLBACK, codeChallenge })
    const reply = await flow.visit(begun)
    const stranger = { ...begun, browserSecret: 'B'.repeat(43) }
    expect(await refused(flow.finish(stranger, reply))).toEqual(UNPROVED)
  })
})

describe('sign-ins of one network', () => {
  test('are refused while too many are under way, and others are not', async () => {
    const clientIp = '198.51.100.1'
    await flow.begin({}, flow.call(clientIp))
    await flow.identity.owner.execute(sql`
      insert into oauth_states
      select sha256(number::text::bytea), provider, nonce, code_verifier, browser_hash, callback_url,
        redirect_uri, client_state, code_challenge, network, created_at, expires_at
      from oauth_states
      cross join generate_series(1, 499) as number
      where network = ${clientIp}`)
    const call = flow.call(clientIp)
    const failed = await failure(flow.begin({}, call))
    expect(failed.code).toBe(status.RESOURCE_EXHAUSTED)
    expect(failed.metadata.get('retry-after')).toEqual(['60'])
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'too_many_sign_ins' })
    expect(await flow.begin({}, flow.call('198.51.100.2'))).toBeDefined()
    flow.identity.clock.advance(600_000)
    expect(await flow.begin({}, flow.call(clientIp))).toBeDefined()
  })
})
