import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sql } from '@olytix/postgres'
import type { ListSigningKeysResponse, TokenPair } from '@olytix/proto'
import { z } from 'zod'
import { decodePart } from './forge.js'
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

const NEW_PASSWORD = 'a phrase for the audit trail'

let identity: Harness
const secrets: string[] = [ADMIN_PASSWORD, ADMIN_KEY, USER_PASSWORD, NEW_PASSWORD]

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

/** Each call that changes something: what must exist before, the call, and the one event that it writes. */
const CALLS: readonly [string, string, () => Promise<() => Promise<unknown>>][] = [
  ['CreateUser', 'user_created', () => ready(() => identity.createUser())],
  [
    'CreateUser, invited',
    'user_created',
    () =>
      ready(() =>
        identity.createUser({ password: undefined }).then(({ invite }) => {
          keep(invite?.secret)
        }),
      ),
  ],
  [
    'UpdateUser',
    'user_updated',
    async () => {
      const { user } = await identity.createUser()
      return () => identity.updateUser(user.id, { name: 'Changed' })
    },
  ],
  [
    'UpdateUser, disabling',
    'user_disabled',
    async () => {
      const { user } = await identity.createUser()
      return () => identity.updateUser(user.id, { disabled: true })
    },
  ],
  [
    'DeleteUser',
    'user_deleted',
    async () => {
      const { user } = await identity.createUser()
      return () =>
        unary((done) => identity.userClient.deleteUser({ id: user.id }, as(ADMIN_KEY), done))
    },
  ],
  [
    'ResetUserPassword',
    'user_updated',
    async () => {
      const { user } = await identity.createUser()
      return () => resetToken(user.id)
    },
  ],
  ['PutRole', 'role_changed', () => ready(() => putRole('noted'))],
  [
    'DeleteRole',
    'role_deleted',
    async () => {
      await putRole('gone')
      return () =>
        unary((done) => identity.roleClient.deleteRole({ name: 'gone' }, as(ADMIN_KEY), done))
    },
  ],
  ['IssueToken', 'session_created', () => ready(signIn)],
  [
    'RevokeToken',
    'session_revoked',
    async () => {
      const { refreshToken } = await signIn()
      return () => unary((done) => identity.tokenClient.revokeToken({ refreshToken }, done))
    },
  ],
  [
    'RevokeSession',
    'session_revoked',
    async () => {
      const { accessToken } = await signIn()
      const id = String(decodePart(accessToken, 1)['sid'])
      return () =>
        unary((done) => identity.tokenClient.revokeSession({ id }, as(accessToken), done))
    },
  ],
  [
    'ChangePassword',
    'password_changed',
    async () => {
      const { user } = await identity.createUser()
      const { accessToken } = await identity.signIn({
        username: user.email,
        password: USER_PASSWORD,
      })
      const message = { currentPassword: USER_PASSWORD, newPassword: NEW_PASSWORD }
      return () =>
        unary((done) => identity.tokenClient.changePassword(message, as(accessToken), done))
    },
  ],
  [
    'RedeemPasswordToken',
    'password_changed',
    async () => {
      const { user } = await identity.createUser()
      const message = { token: await resetToken(user.id), newPassword: NEW_PASSWORD }
      return () => unary((done) => identity.tokenClient.redeemPasswordToken(message, done))
    },
  ],
  [
    'RotateSigningKey',
    'signing_key_rotated',
    () =>
      ready(() => unary((done) => identity.tokenClient.rotateSigningKey({}, as(ADMIN_KEY), done))),
  ],
  [
    'RevokeSigningKey',
    'signing_key_rotated',
    async () => {
      const { signingKeys } = await unary<ListSigningKeysResponse>((done) =>
        identity.tokenClient.listSigningKeys({}, as(ADMIN_KEY), done),
      )
      const id = signingKeys.find(({ state }) => state.endsWith('NEXT'))?.id ?? ''
      return () =>
        unary((done) => identity.tokenClient.revokeSigningKey({ id }, as(ADMIN_KEY), done))
    },
  ],
]

test.each(CALLS)('%s writes one event, %s', async (_rpc, type, prepare) => {
  const call = await prepare()
  const before = await events()
  await call()
  const written = (await events()).slice(before.length)
  expect(written.map(({ event_type }) => event_type)).toEqual([type])
  expect(written[0]).toMatchObject({ access_granted: true, client_ip: '127.0.0.1' })
})

test.each([
  ['unknown_user', () => Promise.resolve('ghost@example.com')],
  ['wrong_password', () => identity.createUser().then(({ user }) => user.email)],
  ['disabled_user', () => identity.createUser({ disabled: true }).then(({ user }) => user.email)],
])('a sign-in refused for %s writes one event that says so', async (reason, make) => {
  const username = await make()
  const before = await events()
  await failure(identity.signIn({ username, password: 'not the password' }))
  const written = (await events()).slice(before.length)
  expect(written).toMatchObject([
    {
      event_type: 'authentication',
      access_granted: false,
      denial_reason: reason,
      user_id: null,
      subject_id: reason === 'unknown_user' ? 'unknown' : expect.stringMatching(/^usr_/),
    },
  ])
})

test('a refresh writes none: it says nothing that its session has not said', async () => {
  const { refreshToken } = await signIn()
  const before = await events()
  keep((await identity.refresh(refreshToken)).refreshToken)
  expect(await events()).toEqual(before)
})

test('no event and no log line holds a secret', async () => {
  const trail = JSON.stringify(await events())
  const log = identity.logged()
  expect(secrets.length).toBeGreaterThan(10)
  for (const secret of secrets) {
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
    ]) {
      expect(trail).not.toContain(form)
      expect(log).not.toContain(form)
    }
  }
})

function ready(call: () => Promise<unknown>): Promise<() => Promise<unknown>> {
  return Promise.resolve(call)
}

function keep(secret: string | undefined): void {
  if (secret) secrets.push(secret)
}

async function signIn(): Promise<TokenPair> {
  const pair = await identity.signIn({ username: ADMIN_EMAIL, password: ADMIN_PASSWORD })
  keep(pair.accessToken)
  keep(pair.refreshToken)
  return pair
}

async function resetToken(id: string): Promise<string> {
  const { token } = await unary<{ token?: { secret: string } | undefined }>((done) =>
    identity.userClient.resetUserPassword({ id }, as(ADMIN_KEY), done),
  )
  keep(token?.secret)
  return token?.secret ?? ''
}

function putRole(name: string): Promise<unknown> {
  const role = { name, scopes: ['read'], description: '' }
  return unary((done) => identity.roleClient.putRole(role, as(ADMIN_KEY), done))
}

function events() {
  return identity.owner.many(
    z.looseObject({ event_type: z.string() }),
    sql`select * from audit_events order by id`,
  )
}
