import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { failure } from '../harness.js'
import { DISBELIEVED, MARKUP, USELESS } from './lies.js'
import type { Lies } from './lying-provider.js'
import { APP_CALLBACK, aVerifier, SignInFlow } from './sign-in-flow.js'

/** They take as long as a provider is waited for; what follows from it is the same. */
const SLOW: readonly string[] = ['token never', 'token drop by drop']

let flow: SignInFlow
let people = 0
const expected = new Map<string, { readonly reason: string; readonly cause: RegExp }>()

beforeAll(async () => {
  const entry = { allowed_domains: ['example.com'], default_roles: ['viewer'] }
  flow = await SignInFlow.start({ corp: entry, other: entry })
})

afterAll(() => flow.end())

beforeEach(async () => {
  flow.identity.clock.advance(61_000)
  flow.corp.lies = {}
  newcomer()
  await flow.signIn()
  // Whose first sign-in it is gets an account, unless it is refused.
  newcomer()
})

function newcomer(): void {
  people += 1
  const sub = `person-${String(people)}`
  flow.corp.person = { sub, email: `${sub}@example.com`, email_verified: true }
}

async function refusedWith(lies: Lies, reason: string, cause: RegExp) {
  const call = flow.call()
  const begun = await flow.begin()
  flow.corp.lies = lies
  const reply = await flow.visit(begun)
  const before = await flow.rowCounts()
  const error = await failure(flow.finish(begun, reply, {}, call))
  expect(await flow.rowCounts()).toEqual(before)
  expected.set(call.requestId, { reason, cause })
  return error
}

describe('what a provider says falsely makes no account and no session', () => {
  test.each(DISBELIEVED)('%s', async (_name, lies, cause) => {
    const error = await refusedWith(lies, 'provider_answer_rejected', cause)
    expect([error.code, error.details]).toEqual([
      status.UNAUTHENTICATED,
      'Invalid or missing authentication',
    ])
  })
})

describe('an answer of no use is 503 and makes no account and no session', () => {
  test.each(USELESS.filter(([name]) => !SLOW.includes(name)))('%s', async (_name, lies, cause) => {
    const error = await refusedWith(lies, 'provider_unavailable', cause)
    expect([error.code, error.details]).toEqual([
      status.UNAVAILABLE,
      'The sign-in provider does not answer at the moment; try again',
    ])
  })
})

test('each of them is in the audit trail, with its cause and nothing that the provider sent', async () => {
  expect(expected.size).toBeGreaterThan(60)
  for (const [requestId, { reason, cause }] of expected) {
    const event = await flow.refusalOf({ requestId })
    expect(event.denial_reason).toBe(reason)
    expect(event.additional_data).toMatchObject({
      provider: 'corp',
      cause: expect.stringMatching(cause),
    })
    const told = JSON.stringify(event)
    for (const secret of [flow.corp.accessToken, MARKUP, 'eyJ', 'example.com']) {
      expect(told).not.toContain(secret)
    }
  }
})

test('an app that waits is told no more than access_denied, with its own state', async () => {
  const { codeChallenge } = aVerifier()
  const begun = await flow.begin({ redirectUri: APP_CALLBACK, state: 'of the app', codeChallenge })
  flow.corp.lies = {
    tokens: () => ({ error: 'invalid_client', error_description: MARKUP }),
  }
  const { redirectUrl, tokens } = await flow.finish(begun, await flow.visit(begun))
  expect(tokens).toBeUndefined()
  expect(redirectUrl).toBe(`${APP_CALLBACK}?error=access_denied&state=of+the+app`)
})
