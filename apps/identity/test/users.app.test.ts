import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { fromGrpcError } from '@olytix/errors/nest'
import { sql } from '@olytix/postgres'
import type { GetUserResponse, ListUsersResponse, UserChange } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_EMAIL, ADMIN_KEY, as, failure, Harness, unary, USER_PASSWORD } from './harness.js'

let identity: Harness
let adminId: string

beforeAll(async () => {
  identity = await Harness.start()
  const { principal } = await identity.authorize({
    credential: (await identity.signIn()).accessToken,
  })
  adminId = principal?.id ?? ''
})

afterAll(() => identity.end())

describe('a new user', () => {
  test('is a viewer with an unproved address, unless the admin says more', async () => {
    const { user, invite } = await identity.createUser({ email: 'Ada@Example.com', name: 'Ada' })
    expect(user).toEqual({
      id: expect.stringMatching(/^usr_/),
      email: 'Ada@Example.com',
      name: 'Ada',
      roles: ['viewer'],
      attributes: {},
      disabled: false,
      emailVerified: false,
      passwordSet: true,
      createdAt: identity.clock.at,
      lastLoginAt: undefined,
    })
    expect(invite).toBeUndefined()
  })

  test('signs in and has the roles, scopes and attributes that were given', async () => {
    const attributes = {
      region: { stringValue: 'West' },
      tiers: { listValue: { values: [{ stringValue: 'gold' }, { numberValue: 2 }] } },
      internal: { booleanValue: false },
    }
    const { user } = await identity.createUser({ roles: ['analyst', 'developer'], attributes })
    const pair = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    const answer = await identity.authorize({ credential: pair.accessToken })
    expect(answer).toMatchObject({
      principal: { id: user.id, kind: 'PRINCIPAL_KIND_USER', email: user.email, name: user.name },
      roles: ['analyst', 'developer'],
      scopes: ['read', 'write'],
      rlsContext: { userId: user.id, email: user.email, attributes },
    })
    expect((await getUser(user.id)).lastLoginAt).toEqual(identity.clock.at)
  })

  test.each([
    ['Twin@Example.com'],
    ['twin＠example.com'],
    ['ＴＷＩＮ@example.com'],
    ['TWIN@EXAMPLE.COM'],
  ])('cannot have %s while somebody has twin@example.com', async (email) => {
    await identity.createUser({ email: 'twin@example.com' }).catch(() => undefined)
    const error = await failure(identity.createUser({ email }))
    expect(error.code).toBe(status.ALREADY_EXISTS)
  })

  test.each([
    ['email', { email: 'İda@example.com' }],
    ['email', { email: 'ad\u200ba@example.com' }],
    ['email', { email: 'ada@example.com.' }],
    ['email', { email: 'ada@example.com ' }],
    ['email', { email: 'a@x.org,b@y.org' }],
    ['email', { email: 'ada\0@example.com' }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: 'A\0B' }],
    ['password', { password: 'short' }],
    ['password', { password: 'p'.repeat(1025) }],
    ['password', { password: 'password1234' }],
    ['password', { email: 'ada.lovelace@example.com', password: 'Ada.Lovelace@example.com' }],
    ['roles[0]', { roles: ['analysts'] }],
    ['attributes.region', { attributes: { region: {} } }],
    ['attributes', { attributes: { Region: { stringValue: 'West' } } }],
  ])('is refused for its %s: %#', async (path, request) => {
    const error = await failure(identity.createUser(request))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    expect(fromGrpcError(error, 'Identity').details?.map((detail) => detail.path)).toContain(path)
  })
})

describe('a change', () => {
  test('touches what it names and nothing else, and is recorded before and after', async () => {
    const { user } = await identity.createUser({ attributes: { region: { stringValue: 'West' } } })
    const changed = await identity.updateUser(user.id, { name: 'New name', roles: ['analyst'] })
    expect(changed).toEqual({ ...user, name: 'New name', roles: ['analyst'] })
    expect(await lastEvent(user.id)).toEqual({
      event_type: 'user_updated',
      additional_data: {
        before: { name: 'Test user', roles: ['viewer'] },
        after: { name: 'New name', roles: ['analyst'] },
      },
    })
  })

  test('of the address makes it unproved and voids tokens for the old one', async () => {
    const { user, invite } = await identity.createUser({ password: undefined })
    await redeem(invite?.secret ?? '')
    expect(await getUser(user.id)).toMatchObject({ emailVerified: true, passwordSet: true })
    const reset = await resetToken(user.id)
    const changed = await identity.updateUser(user.id, { email: 'moved@example.com' })
    expect(changed?.emailVerified).toBe(false)
    expect((await failure(redeem(reset))).code).toBe(status.UNAUTHENTICATED)
    expect((await identity.updateUser(user.id, { emailVerified: true }))?.emailVerified).toBe(true)
  })

  test.each<[string, Partial<UserChange>]>([
    ['update_mask', {}],
    ['roles[0]', { roles: ['nobody'] }],
    ['email', { email: 'nonsense' }],
  ])('that is refused (%s) changes nothing', async (_path, change) => {
    const { user } = await identity.createUser()
    const error = await failure(identity.updateUser(user.id, change))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    expect(await getUser(user.id)).toEqual(user)
  })

  test('by a mask that names what cannot be changed is refused', async () => {
    const { user } = await identity.createUser()
    const client = identity.userClient
    const error = await failure(
      unary((done) =>
        client.updateUser(
          { id: user.id, change: undefined, updateMask: ['password_hash'] },
          as(ADMIN_KEY),
          done,
        ),
      ),
    )
    expect(error.code).toBe(status.INVALID_ARGUMENT)
  })

  test('of roles reaches a token that is already out', async () => {
    const { user } = await identity.createUser({ roles: ['developer'] })
    const { accessToken } = await identity.signIn({
      username: user.email,
      password: USER_PASSWORD,
    })
    await identity.updateUser(user.id, { roles: ['viewer'] })
    expect((await identity.authorize({ credential: accessToken })).scopes).toEqual(['read'])
  })
})

describe('the last active admin', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['disabled', () => identity.updateUser(adminId, { disabled: true })],
    ['demoted', () => identity.updateUser(adminId, { roles: ['viewer'] })],
    ['deleted', () => deleteUser(adminId)],
  ])('cannot be %s', async (_what, attempt) => {
    const error = await failure(attempt())
    expect([error.code, error.details]).toEqual([
      status.ALREADY_EXISTS,
      expect.stringContaining('last admin'),
    ])
    expect(await getUser(adminId)).toMatchObject({ disabled: false, roles: ['admin'] })
  })

  test('stays one when two admins remove each other at once', async () => {
    const { user } = await identity.createUser({ roles: ['admin'] })
    const outcomes = await Promise.allSettled([
      identity.updateUser(user.id, { disabled: true }),
      identity.updateUser(adminId, { disabled: true }),
    ])
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
    await identity.owner.execute(sql`
      update users set disabled_at = null, credentials_epoch = credentials_epoch + 1
      where id = ${adminId}`)
    await identity.updateUser(user.id, { disabled: true })
  })
})

describe('a user who is disabled or deleted', () => {
  test.each<[string, (id: string) => Promise<unknown>]>([
    ['disabled', (id) => identity.updateUser(id, { disabled: true })],
    ['deleted', (id) => deleteUser(id)],
  ])('(%s) is refused with every credential at the next call', async (_what, end) => {
    const { user } = await identity.createUser({ roles: ['admin'] })
    const pair = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    const key = await identity.createKey({ scopes: ['read'] }, pair.accessToken)
    const reset = await resetToken(user.id)
    await end(user.id)
    const token = await identity.authorize({ credential: pair.accessToken })
    expect(token).toMatchObject({
      denialReason: 'DENIAL_REASON_DISABLED_USER',
      principal: undefined,
    })
    expect((await identity.authorize({ credential: key.secret })).denialReason).toBe(
      'DENIAL_REASON_DISABLED_USER',
    )
    for (const attempt of [
      () => identity.refresh(pair.refreshToken),
      () => identity.signIn({ username: user.email, password: USER_PASSWORD }),
      () => redeem(reset),
    ]) {
      expect((await failure(attempt())).code).toBe(status.UNAUTHENTICATED)
    }
  })

  test('does not get the old sessions back when enabled again', async () => {
    const { user } = await identity.createUser()
    const pair = await identity.signIn({ username: user.email, password: USER_PASSWORD })
    await identity.updateUser(user.id, { disabled: true })
    await identity.updateUser(user.id, { disabled: false })
    expect((await identity.authorize({ credential: pair.accessToken })).denialReason).toBe(
      'DENIAL_REASON_REVOKED_CREDENTIAL',
    )
    expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.UNAUTHENTICATED)
    await identity.signIn({ username: user.email, password: USER_PASSWORD })
  })

  test('when deleted, leaves the address to somebody new and is found no more', async () => {
    const { user } = await identity.createUser()
    await deleteUser(user.id)
    const { user: heir } = await identity.createUser({ email: user.email })
    expect(heir.id).not.toBe(user.id)
    for (const attempt of [
      () => getUser(user.id),
      () => deleteUser(user.id),
      () => identity.updateUser(user.id, { name: 'Ghost' }),
      () => resetToken(user.id),
      () => getUser("' or 1=1 --"),
      () => getUser('%'),
    ]) {
      const error = await failure(attempt())
      expect([error.code, error.details]).toEqual([status.NOT_FOUND, 'There is no such user'])
    }
  })
})

describe('a list of users', () => {
  test('shows each once over its pages, newest first', async () => {
    const all = await listUsers(1000, '')
    const ids: string[] = []
    let token = ''
    do {
      const page = await listUsers(3, token)
      ids.push(...page.users.map(({ id }) => id))
      token = page.nextPageToken
    } while (token !== '')
    expect(ids).toEqual(all.users.map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
    expect(all.users.map(({ email }) => email)).toContain(ADMIN_EMAIL)
  })

  test.each([
    [1001, ''],
    [1, 'usr_%'],
    [1, 'key_000000000000000000000'],
  ])('of %d from %j is refused', async (pageSize, pageToken) => {
    const error = await failure(listUsers(pageSize, pageToken))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
  })
})

async function getUser(id: string): Promise<NonNullable<GetUserResponse['user']>> {
  const client = identity.userClient
  const { user } = await unary<GetUserResponse>((done) =>
    client.getUser({ id }, as(ADMIN_KEY), done),
  )
  if (!user) throw new Error('an answer without a user')
  return user
}

function listUsers(pageSize: number, pageToken: string): Promise<ListUsersResponse> {
  const client = identity.userClient
  return unary((done) => client.listUsers({ pageSize, pageToken }, as(ADMIN_KEY), done))
}

function deleteUser(id: string): Promise<unknown> {
  const client = identity.userClient
  return unary((done) => client.deleteUser({ id }, as(ADMIN_KEY), done))
}

async function resetToken(id: string): Promise<string> {
  const client = identity.userClient
  const { token } = await unary<{ token?: { secret: string } | undefined }>((done) =>
    client.resetUserPassword({ id }, as(ADMIN_KEY), done),
  )
  return token?.secret ?? ''
}

function redeem(token: string): Promise<unknown> {
  const client = identity.tokenClient
  const message = { token, newPassword: 'another phrase to remember' }
  return unary((done) => client.redeemPasswordToken(message, done))
}

function lastEvent(subjectId: string): Promise<unknown> {
  return identity.owner.maybeOne(
    z.record(z.string(), z.unknown()),
    sql`
      select event_type, additional_data
      from audit_events
      where subject_id = ${subjectId}
      order by id desc`,
  )
}
