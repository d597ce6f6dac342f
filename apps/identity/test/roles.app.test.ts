import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { fromGrpcError } from '@olytix/errors/nest'
import type { ListRolesResponse, PutRoleResponse, Role } from '@olytix/proto'
import { ADMIN_KEY, as, failure, Harness, unary, USER_PASSWORD } from './harness.js'

let identity: Harness

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('a custom role', () => {
  test('is made, shown, replaced and deleted', async () => {
    const made = await put({ name: 'auditor', scopes: ['read'], description: 'Looks' })
    const role = { name: 'auditor', scopes: ['read'], description: 'Looks', builtIn: false }
    expect(made).toEqual({ role: { ...role, updatedAt: identity.clock.at }, created: true })
    identity.clock.advance(1000)
    const replaced = await put({ name: 'auditor', scopes: ['write', 'read'] })
    expect(replaced).toEqual({
      role: { ...role, scopes: ['read', 'write'], description: '', updatedAt: identity.clock.at },
      created: false,
    })
    expect(await get('auditor')).toEqual(replaced.role)
    await remove('auditor')
    expect((await failure(get('auditor'))).code).toBe(status.NOT_FOUND)
  })

  test('may give no scope at all: it is a name for policies', async () => {
    expect((await put({ name: 'emea', scopes: [] })).role?.scopes).toEqual([])
  })

  test('gives and takes scopes of a token that is already out', async () => {
    await put({ name: 'mover', scopes: ['read'] })
    const { user } = await identity.createUser({ roles: ['mover'] })
    const { accessToken } = await identity.signIn({
      username: user.email,
      password: USER_PASSWORD,
    })
    const scopes = async (): Promise<readonly string[]> =>
      (await identity.authorize({ credential: accessToken })).scopes
    expect(await scopes()).toEqual(['read'])
    await put({ name: 'mover', scopes: ['write'] })
    expect(await scopes()).toEqual(['write'])
    await put({ name: 'mover', scopes: ['admin'] })
    expect(await scopes()).toEqual(['read', 'write', 'admin'])
  })

  test('cannot be deleted while a user or a key has it', async () => {
    await put({ name: 'held_by_user', scopes: ['read'] })
    const { user } = await identity.createUser({ roles: ['held_by_user'] })
    await put({ name: 'held_by_key', scopes: ['read'] })
    const { key } = await identity.createKey({ roles: ['held_by_key'] })
    for (const name of ['held_by_user', 'held_by_key']) {
      expect((await failure(remove(name))).code).toBe(status.ALREADY_EXISTS)
    }
    await identity.updateUser(user.id, { roles: [] })
    await remove('held_by_user')
    await unary((done) => identity.keyClient.revokeKey({ id: key?.id ?? '' }, as(ADMIN_KEY), done))
    await remove('held_by_key')
  })

  test.each([
    ['name', { name: 'Admin' }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(64) }],
    ['name', { name: 'a b' }],
    ['name', { name: 'a\0' }],
    ['scopes[0]', { scopes: ['reed'] }],
    ['description', { description: 'x'.repeat(1001) }],
    ['description', { description: 'a\0' }],
  ])('is refused for its %s: %j', async (path, role) => {
    const error = await failure(put({ name: 'fine', ...role }))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    const details = fromGrpcError(error, 'Identity').details
    expect(details?.map((detail) => detail.path)).toEqual([path])
    if (path === 'scopes[0]') expect(details?.[0]?.suggestion).toBe('read')
  })
})

describe('a role that comes with the product', () => {
  test.each(['viewer', 'developer', 'admin'])('(%s) is left as it is', async (name) => {
    const before = await get(name)
    expect(before?.builtIn).toBe(true)
    for (const attempt of [() => put({ name, scopes: [] }), () => remove(name)]) {
      const error = await failure(attempt())
      expect([error.code, error.details]).toEqual([
        status.ALREADY_EXISTS,
        `The role ${name} comes with the product and cannot be changed`,
      ])
    }
    expect(await get(name)).toEqual(before)
  })
})

test('taking the scope admin from the role of the last admins is refused', async () => {
  const own = await Harness.start()
  try {
    const { principal } = await own.authorize({ credential: (await own.signIn()).accessToken })
    const write = (scopes: string[]): Promise<PutRoleResponse> =>
      unary((done) =>
        own.roleClient.putRole({ name: 'boss', scopes, description: '' }, as(ADMIN_KEY), done),
      )
    await write(['admin'])
    await own.updateUser(principal?.id ?? '', { roles: ['boss'] })
    const error = await failure(write(['read']))
    expect([error.code, error.details]).toEqual([
      status.ALREADY_EXISTS,
      expect.stringContaining('last admin'),
    ])
  } finally {
    await own.end()
  }
})

test('the list is by name, and its pages show each once', async () => {
  const all = await list(0, '')
  const names = all.roles.map(({ name }) => name)
  expect(names).toEqual([...names].sort())
  expect(names).toEqual(expect.arrayContaining(['admin', 'analyst', 'developer', 'viewer']))
  const first = await list(2, '')
  const rest = await list(1000, first.nextPageToken)
  expect([...first.roles, ...rest.roles]).toEqual(all.roles)
  expect(rest.nextPageToken).toBe('')
  expect((await failure(list(1, "x' or 1=1"))).code).toBe(status.INVALID_ARGUMENT)
})

function put(role: {
  name: string
  scopes?: string[]
  description?: string
}): Promise<PutRoleResponse> {
  const message = { scopes: [], description: '', ...role }
  return unary((done) => identity.roleClient.putRole(message, as(ADMIN_KEY), done))
}

async function get(name: string): Promise<Role | undefined> {
  const { role } = await unary<{ role?: Role | undefined }>((done) =>
    identity.roleClient.getRole({ name }, as(ADMIN_KEY), done),
  )
  return role
}

function remove(name: string): Promise<unknown> {
  return unary((done) => identity.roleClient.deleteRole({ name }, as(ADMIN_KEY), done))
}

function list(pageSize: number, pageToken: string): Promise<ListRolesResponse> {
  return unary((done) =>
    identity.roleClient.listRoles({ pageSize, pageToken }, as(ADMIN_KEY), done),
  )
}
