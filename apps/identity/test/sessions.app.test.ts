import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import type { ListSessionsResponse } from '@olytix/proto'
import { decodePart } from './forge.js'
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

let identity: Harness

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('a user', () => {
  test('sees his own live sessions, and which one he is using', async () => {
    const { user } = await identity.createUser()
    const signIn = { username: user.email, password: USER_PASSWORD, userAgent: 'curl/8' }
    const from = callMetadata({ 'service-token': SERVICE_TOKEN, 'client-ip': '2001:DB8::7' })
    const own = await identity.signIn(signIn, from)
    const began = identity.clock.at
    identity.clock.advance(60_000)
    const other = await identity.signIn({ ...signIn, userAgent: '' })
    const next = await identity.refresh(own.refreshToken, from)
    const { sessions, nextPageToken } = await list(next.accessToken)
    expect(nextPageToken).toBe('')
    expect(sessions).toEqual([
      {
        id: sid(other.accessToken),
        createdAt: identity.clock.at,
        lastUsedAt: identity.clock.at,
        expiresAt: new Date(identity.clock.at.getTime() + 90 * 86_400_000),
        clientIp: '127.0.0.1',
        userAgent: '',
        current: false,
      },
      {
        id: sid(own.accessToken),
        createdAt: began,
        lastUsedAt: identity.clock.at,
        expiresAt: new Date(began.getTime() + 90 * 86_400_000),
        clientIp: '2001:db8::7',
        userAgent: 'curl/8',
        current: true,
      },
    ])
  })

  test('pages through them', async () => {
    const { user } = await identity.createUser()
    const tokens = []
    for (let count = 0; count < 5; count += 1) {
      tokens.push(await identity.signIn({ username: user.email, password: USER_PASSWORD }))
    }
    const credential = tokens[0]?.accessToken ?? ''
    const first = await list(credential, 2)
    const rest = await list(credential, 1000, first.nextPageToken)
    const ids = [...first.sessions, ...rest.sessions].map(({ id }) => id)
    expect(ids).toEqual((await list(credential)).sessions.map(({ id }) => id))
    expect(new Set(ids)).toEqual(new Set(tokens.map(({ accessToken }) => sid(accessToken))))
  })

  test('ends one of them, whose tokens stop at the next call', async () => {
    const { user } = await identity.createUser()
    const signIn = { username: user.email, password: USER_PASSWORD }
    const [own, other] = [await identity.signIn(signIn), await identity.signIn(signIn)]
    await end(own.accessToken, sid(other.accessToken))
    expect((await identity.authorize({ credential: other.accessToken })).denialReason).toBe(
      'DENIAL_REASON_REVOKED_CREDENTIAL',
    )
    expect((await failure(identity.refresh(other.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    expect((await list(own.accessToken)).sessions).toHaveLength(1)
    expect((await failure(end(own.accessToken, sid(other.accessToken)))).code).toBe(
      status.NOT_FOUND,
    )
  })

  test('cannot tell somebody else’s session from none', async () => {
    const { user } = await identity.createUser()
    const own = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    const foreign = await identity.signIn()
    for (const id of [sid(foreign.accessToken), `ses_${'0'.repeat(21)}`, '%', "' or 1=1 --", '']) {
      const error = await failure(end(own.accessToken, id))
      expect([error.code, error.details]).toEqual([status.NOT_FOUND, 'There is no such session'])
    }
    expect((await identity.authorize({ credential: foreign.accessToken })).decision).toBe(
      'DECISION_ALLOW',
    )
  })
})

test('an API key has no sessions, not even its owner’s', async () => {
  expect((await failure(list(ADMIN_KEY))).code).toBe(status.PERMISSION_DENIED)
  const { accessToken } = await identity.signIn()
  expect((await failure(end(ADMIN_KEY, sid(accessToken)))).code).toBe(status.PERMISSION_DENIED)
})

function list(credential: string, pageSize = 0, pageToken = ''): Promise<ListSessionsResponse> {
  return unary((done) =>
    identity.tokenClient.listSessions({ pageSize, pageToken }, as(credential), done),
  )
}

function end(credential: string, id: string): Promise<unknown> {
  return unary((done) => identity.tokenClient.revokeSession({ id }, as(credential), done))
}

function sid(accessToken: string): string {
  return String(decodePart(accessToken, 1)['sid'])
}
