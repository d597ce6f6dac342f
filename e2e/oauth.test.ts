import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { pairOf, type TokenPair } from './harness/accounts.js'
import { type Answer, fieldsOf } from './harness/http.js'
import { APP_CALLBACK, OAuthStack } from './harness/oauth-stack.js'
import { Visitor } from './harness/visitor.js'

/** Signing in with a company's directory, through the public door and a certified provider. */

const START_MS = 300_000
const REFUSED = '{"error":{"code":"UNAUTHORIZED","message":"Invalid or missing authentication"}}'
const FORBIDDEN =
  '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}'

const person = (name: string, claims: Readonly<Record<string, unknown>> = {}) => ({
  name,
  email: `${name}@corp.example`,
  email_verified: true,
  ...claims,
})

const PEOPLE = {
  wanda: person('wanda', { region: 'West', groups: ['sales-west', 'it'] }),
  una: person('una', { email_verified: false, region: 'West', groups: ['sales-west'] }),
  stella: person('stella', { email_verified: 'true' }),
  olga: { name: 'olga', email: 'olga@elsewhere.example', email_verified: true },
}

let stack: OAuthStack
beforeAll(async () => {
  stack = await OAuthStack.start()
  await stack.directories.corp.setAccounts(PEOPLE)
  await stack.directories.annex.setAccounts(PEOPLE)
}, START_MS)
afterAll(() => stack.stop())

/** The answer of our callback, which is an address of ours whatever a test has made of it. */
async function visit(visitor: Visitor, url: URL): Promise<Answer> {
  const answer = await visitor.visit(url)
  const text = await answer.text()
  stack.secrets.push(url.searchParams.get('state') ?? randomUUID())
  stack.secrets.push(url.searchParams.get('code') ?? randomUUID())
  for (const secret of text.match(/(?:refresh_|eyJ)[\w.-]{40,}/g) ?? []) stack.secrets.push(secret)
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text }
}

/** The answer of the callback in the browser that began. */
async function signIn(account: string, provider = 'corp'): Promise<Answer> {
  const visitor = new Visitor()
  return visit(visitor, await visitor.signIn(stack.authorize(provider), account))
}

interface AppSignIn {
  readonly verifier: string
  readonly search: Readonly<Record<string, string>>
}

/** What an application of its own sends along. */
function anApp(changes: Readonly<Record<string, string>> = {}): AppSignIn {
  const verifier = randomBytes(32).toString('base64url')
  stack.secrets.push(verifier)
  const search = {
    redirect_uri: APP_CALLBACK,
    state: `state-of-the-app-${randomUUID()}`,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  }
  return { verifier, search }
}

/** Where the callback sends the browser at last. */
function sentTo(answer: Answer): URL {
  expect(answer.status).toBe(302)
  const url = new URL(String(answer.headers['location']))
  stack.secrets.push(url.searchParams.get('code') ?? randomUUID())
  return url
}

async function codeFor(account: string, { search }: AppSignIn): Promise<string> {
  const visitor = new Visitor()
  const callback = await visitor.signIn(stack.authorize('corp', search), account)
  return sentTo(await visit(visitor, callback)).searchParams.get('code') ?? ''
}

async function redeem(code: string, verifier: string): Promise<Answer> {
  const body = { code, code_verifier: verifier }
  const answer = await stack.ask('/api/v1/auth/oauth/token', { method: 'POST', body })
  for (const secret of answer.text.match(/(?:refresh_|eyJ)[\w.-]{40,}/g) ?? []) {
    stack.secrets.push(secret)
  }
  return answer
}

async function me(pair: Pick<TokenPair, 'access_token'>): Promise<Answer> {
  return stack.ask('/api/v1/auth/me', { key: pair.access_token })
}

function query(pair: TokenPair, body: unknown): Promise<Answer> {
  return stack.ask('/api/v1/query', { method: 'POST', key: pair.access_token, body })
}

async function addresses(): Promise<readonly unknown[]> {
  const { users } = fieldsOf(await stack.asAdmin('/api/v1/auth/users'))
  return z
    .array(z.looseObject({ email: z.string() }))
    .parse(users)
    .map(({ email }) => email)
}

const auditEvents = z.object({
  events: z.array(z.looseObject({ event_type: z.string(), denial_reason: z.string().nullish() })),
})

/** Refusals are written together, once in a while. */
const NOTED_WITHIN_MS = 15_000

/** Demands that the audit trail says why: refusals of one cause and address are counted in one event a minute. */
async function expectNoted(reason: string): Promise<void> {
  const deadline = Date.now() + NOTED_WITHIN_MS
  const noted = async (): Promise<readonly unknown[]> => {
    const { text } = await stack.asAdmin('/api/v1/auth/audit?type=authentication&page_size=200')
    return auditEvents.parse(JSON.parse(text)).events.map(({ denial_reason: denial }) => denial)
  }
  while (!(await noted()).includes(reason) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(await noted()).toContain(reason)
}

describe('GET /auth/oauth/providers', () => {
  test('lists what one can sign in with, to anybody', async () => {
    expect(JSON.parse((await stack.ask('/api/v1/auth/oauth/providers')).text)).toEqual({
      providers: ['corp', 'annex'].map((name) => ({
        name,
        display_name: `${name.toUpperCase()} directory`,
        authorize_url: `${stack.url}/api/v1/auth/oauth/${name}/authorize`,
      })),
    })
  })

  test('an unknown provider is not found', async () => {
    expect((await stack.ask('/api/v1/auth/oauth/nobody/authorize')).status).toBe(404)
  })
})

describe('a person whose directory says region West', () => {
  test('signs in and sees only the West', async () => {
    const pair = pairOf(await signIn('wanda'))
    expect(fieldsOf(await me(pair))).toMatchObject({
      kind: 'user',
      email: 'wanda@corp.example',
      name: 'wanda',
      roles: ['analyst'],
      scopes: ['read'],
      attributes: { region: 'West' },
    })
    const total = await query(pair, { metrics: ['total_revenue'] })
    expect(JSON.parse(total.text)).toMatchObject({ data: [{ total_revenue: 725457.8245 }] })
    const regions = await query(pair, { metrics: ['orders.count'], dimensions: ['orders.region'] })
    expect(JSON.parse(regions.text)).toMatchObject({
      data: [{ 'orders.region': 'West', 'orders.count': 3203 }],
    })
  })

  test('stays signed in by refreshing, until logging out', async () => {
    const first = pairOf(await signIn('wanda'))
    const body = { refresh_token: first.refresh_token }
    const next = pairOf(await stack.ask('/api/v1/auth/refresh', { method: 'POST', body }))
    expect((await me(next)).status).toBe(200)
    const out = { refresh_token: next.refresh_token }
    expect((await stack.ask('/api/v1/auth/logout', { method: 'POST', body: out })).status).toBe(204)
    const again = await stack.ask('/api/v1/auth/refresh', { method: 'POST', body: out })
    expect(again).toMatchObject({ status: 401, text: REFUSED })
  })

  test('is the same person at each sign-in, with what the directory says by then', async () => {
    const first = fieldsOf(await me(pairOf(await signIn('wanda'))))
    const moved = { ...PEOPLE, wanda: person('wanda', { region: 'East', groups: ['sales-west'] }) }
    await stack.directories.corp.setAccounts(moved)
    const pair = pairOf(await signIn('wanda'))
    expect(fieldsOf(await me(pair))).toMatchObject({
      id: first['id'],
      attributes: { region: 'East' },
    })
    const regions = await query(pair, { dimensions: ['orders.region'] })
    expect(JSON.parse(regions.text)).toMatchObject({ data: [{ 'orders.region': 'East' }] })
    await stack.directories.corp.setAccounts({
      wanda: person('wanda', { groups: ['sales-west'] }),
    })
    const lost = await query(pairOf(await signIn('wanda')), { metrics: ['total_revenue'] })
    expect(lost).toMatchObject({ status: 403, text: FORBIDDEN })
    await stack.directories.corp.setAccounts(PEOPLE)
  })

  test('at another directory reaches the same account, since both sides have verified the address', async () => {
    const first = fieldsOf(await me(pairOf(await signIn('wanda'))))
    const second = fieldsOf(await me(pairOf(await signIn('wanda', 'annex'))))
    expect(second).toMatchObject({ email: 'wanda@corp.example', id: first['id'] })
  })
})

describe('an application of its own', () => {
  test('gets a one-time code and its state back, and the tokens for the code with its verifier', async () => {
    const app = anApp()
    const visitor = new Visitor()
    const callback = await visitor.signIn(stack.authorize('corp', app.search), 'wanda')
    const answer = await visit(visitor, callback)
    const url = sentTo(answer)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    expect(`${url.origin}${url.pathname}`).toBe(APP_CALLBACK)
    expect([...url.searchParams.keys()].sort()).toEqual(['code', 'state'])
    expect(url.searchParams.get('state')).toBe(app.search['state'])
    const pair = pairOf(await redeem(url.searchParams.get('code') ?? '', app.verifier))
    expect((await me(pair)).status).toBe(200)
  })

  test('gets nothing for a code without its verifier', async () => {
    const app = anApp()
    const code = await codeFor('wanda', app)
    const other = randomBytes(32).toString('base64url')
    expect(await redeem(code, other)).toMatchObject({ status: 401, text: REFUSED })
  })

  test('a code that is used twice ends what the first use gave', async () => {
    const app = anApp()
    const code = await codeFor('wanda', app)
    const pair = pairOf(await redeem(code, app.verifier))
    expect((await me(pair)).status).toBe(200)
    expect(await redeem(code, app.verifier)).toMatchObject({ status: 401, text: REFUSED })
    const deadline = Date.now() + 1000
    while ((await me(pair)).status !== 401 && Date.now() < deadline);
    expect((await me(pair)).status).toBe(401)
    await expectNoted('reused_code')
  })

  test('learns by its own address that somebody turned back, and no more', async () => {
    const app = anApp()
    const visitor = new Visitor()
    const callback = await visitor.cancel(stack.authorize('corp', app.search))
    expect(callback.searchParams.get('error_description')).not.toBeNull()
    const url = sentTo(await visit(visitor, callback))
    expect(Object.fromEntries(url.searchParams)).toEqual({
      error: 'access_denied',
      state: app.search['state'],
    })
  })

  test.each([
    'https://evil.example/signed-in',
    `${APP_CALLBACK}/`,
    `${APP_CALLBACK}?more=1`,
    `${APP_CALLBACK}#f`,
    `${APP_CALLBACK}.evil.example`,
    'https://app.example.com.evil.example/signed-in',
    'https://app.example.com@evil.example/signed-in',
    'https://APP.example.com/signed-in',
    'http://app.example.com/signed-in',
    'https://app.example.com/x/../signed-in',
    'https://app.example.com/%73igned-in',
    'https://app.example.com\\@evil.example/signed-in',
    '//evil.example/signed-in',
    'http://127.0.0.1:4711/other',
    'http://127.0.0.1.evil.example/callback',
    'http://localhost:4711/callback',
    'http://127.1:4711/callback',
    'javascript:alert(1)',
    'data:text/html,x',
  ])('is sent nowhere but where it is registered: not to %s', async (redirectUri) => {
    const { search } = anApp({ redirect_uri: redirectUri })
    const answer = await stack.ask(
      new URL(stack.authorize('corp', search)).href.slice(stack.url.length),
    )
    expect(answer.status).toBe(400)
    expect(answer.headers['location']).toBeUndefined()
    expect(answer.headers['set-cookie']).toBeUndefined()
  })
})

describe('refused, without an account or a session', () => {
  test.each([
    ['una', 'an address that the directory has not verified', 'unverified_address'],
    ['stella', 'an address that is verified by the text "true"', 'unverified_address'],
    ['olga', 'an address of another company', 'domain_not_allowed'],
  ])('%s: %s', async (account, _what, reason) => {
    const before = await addresses()
    const answer = await signIn(account)
    expect(answer).toMatchObject({ status: 403, text: FORBIDDEN })
    expect(answer.headers['location']).toBeUndefined()
    expect(await addresses()).toEqual(before)
    await expectNoted(reason)
  })

  test.each([
    [
      'a state that was used already',
      async (visitor: Visitor, callback: URL) => {
        expect((await visit(visitor, callback)).status).toBe(200)
        return visit(visitor, callback)
      },
      'unknown_state',
    ],
    [
      'the state of somebody else’s browser',
      (_: Visitor, callback: URL) => visit(new Visitor(), callback),
      'another_browser',
    ],
    [
      'the state of another provider',
      (visitor: Visitor, callback: URL) =>
        visit(visitor, new URL(callback.href.replace('/corp/', '/annex/'))),
      'another_provider',
    ],
    [
      'a made-up state',
      (visitor: Visitor, callback: URL) =>
        visit(visitor, withParameter(callback, 'state', 'x'.repeat(43))),
      'unknown_state',
    ],
    [
      'the issuer of another provider',
      (visitor: Visitor, callback: URL) =>
        visit(visitor, withParameter(callback, 'iss', stack.directories.annex.issuer)),
      'provider_answer_rejected',
    ],
    [
      'no issuer although the provider says that it sends one',
      (visitor: Visitor, callback: URL) =>
        visit(visitor, withParameter(callback, 'iss', undefined)),
      'provider_answer_rejected',
    ],
    [
      'a code that the provider never gave',
      (visitor: Visitor, callback: URL) =>
        visit(visitor, withParameter(callback, 'code', 'made-up-code')),
      'provider_answer_rejected',
    ],
  ] as const)('401: %s', async (_what, attack, reason) => {
    const visitor = new Visitor()
    const callback = await visitor.signIn(stack.authorize('corp'), 'wanda')
    const answer = await attack(visitor, callback)
    expect(answer).toMatchObject({ status: 401, text: REFUSED })
    expect(answer.headers['location']).toBeUndefined()
    await expectNoted(reason)
  })

  test('a code together with an error, and nothing of either is shown', async () => {
    const visitor = new Visitor()
    const callback = await visitor.signIn(stack.authorize('corp'), 'wanda')
    const markup = '<script>alert(1)</script>'
    callback.searchParams.set('error', markup)
    callback.searchParams.set('error_description', markup)
    callback.searchParams.set('error_uri', 'https://evil.example/')
    const answer = await visit(visitor, callback)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer)).not.toMatch(/script|alert|evil/)
    await expectNoted('malformed_callback')
  })

  test('a state is over after a refusal too', async () => {
    const visitor = new Visitor()
    const callback = await visitor.signIn(stack.authorize('corp'), 'wanda')
    expect((await visit(new Visitor(), callback)).status).toBe(401)
    expect((await visit(visitor, callback)).status).toBe(401)
  })
})

describe('a directory that has gone', () => {
  test('is 503 with a plain message, in JSON or by the application’s own address', async () => {
    const [one, other] = [new Visitor(), new Visitor()]
    const app = anApp()
    const plain = await one.signIn(stack.authorize('annex'), 'wanda')
    const redirected = await other.signIn(stack.authorize('annex', app.search), 'wanda')
    await stack.directories.annex.kill()
    const answer = await visit(one, plain)
    expect(answer.status).toBe(503)
    expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN|fetch/)
    expect(Object.fromEntries(sentTo(await visit(other, redirected)).searchParams)).toEqual({
      error: 'temporarily_unavailable',
      state: app.search['state'],
    })
  })

  test('keeps nobody from signing in with another, or with a password', async () => {
    pairOf(await signIn('wanda'))
    const { admin_email: username, admin_password: password } = stack.own
    const body = { username, password }
    const answer = await stack.ask('/api/v1/auth/token', { method: 'POST', body })
    expect(answer.status).toBe(200)
    expect((await stack.ask('/health/ready')).status).toBe(200)
  })
})

function withParameter(callback: URL, name: string, value: string | undefined): URL {
  const changed = new URL(callback)
  if (value === undefined) changed.searchParams.delete(name)
  else changed.searchParams.set(name, value)
  return changed
}
