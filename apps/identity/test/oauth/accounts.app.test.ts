import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { Database, sql } from '@olytix/postgres'
import type { DeleteUserResponse, TokenPair } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_EMAIL, ADMIN_KEY, as, failure, unary } from '../harness.js'
import type { Person } from './lying-provider.js'
import { SignInFlow } from './sign-in-flow.js'

const FORBIDDEN = [status.PERMISSION_DENIED, 'Insufficient permissions for this resource']

let flow: SignInFlow
let people = 0

beforeAll(async () => {
  flow = await SignInFlow.start({
    corp: {
      allowed_domains: ['example.com'],
      default_roles: ['viewer', 'no-such-role', 'admin'],
      claims: {
        roles: {
          from: 'groups',
          map: { analysts: 'analyst', owners: 'admin', 'passers-by': 'passing' },
        },
        attributes: { region: 'region', teams: 'teams' },
      },
    },
    other: {
      allowed_domains: ['example.com'],
      claims: { roles: { from: 'groups', map: { owners: 'admin' } }, allow_admin: true },
    },
  })
})

afterAll(() => flow.end())

beforeEach(() => {
  flow.identity.clock.advance(61_000)
})

/** Somebody whom nobody has seen yet. */
function aPerson(changes: Person = {}): Person & { readonly email: string } {
  people += 1
  const sub = `subject-${String(people)}`
  return { sub, email: `${sub}@example.com`, email_verified: true, name: 'Ada', ...changes }
}

function signIn(person: Person, provider: 'corp' | 'other' = 'corp'): Promise<TokenPair> {
  flow[provider].person = person
  return flow.signIn(provider)
}

async function idOf(tokens: TokenPair): Promise<string> {
  return (await flow.whoIs(tokens)).principal?.id ?? ''
}

/** Refused for this reason, and nothing is left of it. */
async function expectRefusal(
  person: Person,
  reason: string,
  provider: 'corp' | 'other' = 'corp',
): Promise<void> {
  const before = await flow.rowCounts()
  flow[provider].person = person
  const call = flow.call()
  const { code, details } = await failure(flow.signIn(provider, call))
  expect([code, details]).toEqual(FORBIDDEN)
  expect(await flow.rowCounts()).toEqual(before)
  expect(await flow.refusalOf(call)).toMatchObject({
    denial_reason: reason,
    additional_data: { provider },
  })
}

async function aLocalUser(email: string, emailVerified: boolean): Promise<string> {
  const { user } = await flow.identity.createUser({ email })
  if (emailVerified) await flow.identity.updateUser(user.id, { emailVerified })
  return user.id
}

async function eventsOf(userId: string): Promise<unknown[]> {
  return flow.identity.owner.many(
    z.object({ event_type: z.string(), additional_data: z.unknown() }),
    sql`
      select event_type, additional_data
      from audit_events
      where subject_kind = 'user' and subject_id = ${userId}
      order by id`,
  )
}

describe('an address', () => {
  test.each`
    provider | local    | exists   | outcome
    ${true}  | ${true}  | ${true}  | ${'linked'}
    ${true}  | ${false} | ${true}  | ${'unverified_account'}
    ${false} | ${true}  | ${true}  | ${'unverified_address'}
    ${false} | ${false} | ${true}  | ${'unverified_address'}
    ${true}  | ${true}  | ${false} | ${'created'}
    ${true}  | ${false} | ${false} | ${'created'}
    ${false} | ${true}  | ${false} | ${'unverified_address'}
    ${false} | ${false} | ${false} | ${'unverified_address'}
  `(
    'verified by the provider $provider, here $local, with an account $exists: $outcome',
    async ({ provider, local, exists, outcome }: Record<string, unknown>) => {
      const person = aPerson({ email_verified: provider })
      const id = exists === true ? await aLocalUser(person.email, local === true) : undefined
      if (outcome !== 'linked' && outcome !== 'created') {
        await expectRefusal(person, String(outcome))
        return
      }
      const before = await flow.rowCounts()
      const signedIn = await idOf(await signIn(person))
      const after = await flow.rowCounts()
      const made = outcome === 'created' ? 1 : 0
      expect(after?.['users']).toBe((before?.['users'] ?? 0) + made)
      if (id !== undefined) expect(signedIn).toBe(id)
    },
  )

  test('that the provider calls verified in words is not', async () => {
    await expectRefusal(aPerson({ email_verified: 'true' }), 'unverified_address')
    await expectRefusal(aPerson({ email_verified: 1 }), 'unverified_address')
  })

  test.each([['elsewhere@example.org'], ['elsewhere@sub.example.com']])(
    '%s of a domain that is not allowed gets no account',
    async (email) => {
      await expectRefusal(aPerson({ email }), 'domain_not_allowed')
    },
  )

  test('in other letters is the same address', async () => {
    const person = aPerson()
    const id = await aLocalUser(person.email, true)
    expect(await idOf(await signIn({ ...person, email: person.email.toUpperCase() }))).toBe(id)
  })

  test('that is missing gives nobody an account', async () => {
    await expectRefusal(aPerson({ email: undefined }), 'no_address')
  })

  test('given to somebody else later does not open the account', async () => {
    const person = aPerson()
    await signIn(person)
    await expectRefusal(aPerson({ email: person.email }), 'another_identity')
  })

  test('that changes leaves a person with their account', async () => {
    const person = aPerson()
    const id = await idOf(await signIn(person))
    const renamed = { ...person, email: 'married-name@example.org', email_verified: false }
    expect(await idOf(await signIn(renamed))).toBe(id)
  })
})

describe('an account', () => {
  test('that a sign-in makes is verified, has no password, and tells how it came to be', async () => {
    const person = aPerson({ name: 'Ada Lovelace' })
    const id = await idOf(await signIn(person))
    const user = { email: person.email, email_verified: true, name: 'Ada Lovelace' }
    expect(await eventsOf(id)).toEqual([
      {
        event_type: 'user_created',
        additional_data: {
          after: { ...user, roles: ['viewer'], attributes: {}, disabled: false },
        },
      },
      {
        event_type: 'identity_linked',
        additional_data: { provider: 'corp', issuer: flow.corp.issuer, subject: person['sub'] },
      },
    ])
    const password = flow.identity.signIn({ username: person.email, password: '' })
    expect((await failure(password)).code).toBe(status.UNAUTHENTICATED)
  })

  test('that is linked keeps its password, and the link is recorded once', async () => {
    const person = aPerson()
    const id = await aLocalUser(person.email, true)
    await signIn(person)
    await signIn(person)
    const types = (await eventsOf(id)).filter((event) =>
      JSON.stringify(event).includes('identity_linked'),
    )
    expect(types).toHaveLength(1)
    expect(
      await flow.identity.signIn({ username: person.email, password: 'a user of some discretion' }),
    ).toBeDefined()
  })

  test('of each of two issuers is another, though both say the same subject', async () => {
    const [first, second] = [aPerson({ sub: 'same' }), aPerson({ sub: 'same' })]
    const ids = [await idOf(await signIn(first)), await idOf(await signIn(second, 'other'))]
    expect(new Set(ids).size).toBe(2)
    expect([await idOf(await signIn(first)), await idOf(await signIn(second, 'other'))]).toEqual(
      ids,
    )
  })

  test('that is disabled is closed, linked or not', async () => {
    const person = aPerson()
    const id = await idOf(await signIn(person))
    await flow.identity.updateUser(id, { disabled: true })
    await expectRefusal(person, 'disabled_user')
    const stranger = aPerson()
    const local = await aLocalUser(stranger.email, true)
    await flow.identity.updateUser(local, { disabled: true })
    await expectRefusal(stranger, 'disabled_user')
  })

  test('that was deleted stays so: whoever returns gets a new one', async () => {
    const person = aPerson({ groups: ['analysts'] })
    const id = await idOf(await signIn(person))
    const client = flow.identity.userClient
    await unary<DeleteUserResponse>((done) => client.deleteUser({ id }, as(ADMIN_KEY), done))
    const next = await idOf(await signIn(person))
    expect(next).not.toBe(id)
    expect(await idOf(await signIn(person))).toBe(next)
  })

  test('is made once for somebody who signs in 10 times at once', async () => {
    const person = aPerson()
    flow.corp.person = person
    const before = await flow.rowCounts()
    const all = await Promise.all(Array.from({ length: 10 }, () => flow.signIn()))
    expect(new Set(await Promise.all(all.map(idOf))).size).toBe(1)
    expect((await flow.rowCounts())?.['users']).toBe((before?.['users'] ?? 0) + 1)
  })
})

describe('what others do at the same moment', () => {
  test('an account that is made with the address refuses the sign-in', async () => {
    const person = aPerson()
    flow.corp.person = person
    const call = flow.call()
    const { code, details } = await whileOthers(
      sql`
        insert into users (id, email, email_canonical, name, created_at, updated_at)
        values ('usr_meanwhile', ${person.email}, ${person.email}, 'x', now(), now())`,
      () => failure(flow.signIn('corp', call)),
    )
    expect([code, details]).toEqual(FORBIDDEN)
    expect(await flow.refusalOf(call)).toMatchObject({ denial_reason: 'address_taken' })
  })

  test('a role that is deleted is left out', async () => {
    flow.corp.person = aPerson({ groups: ['passers-by'] })
    await flow.identity.owner.execute(sql`
      insert into roles (name, scopes) values ('passing', '{read}')`)
    const tokens = await whileOthers(sql`delete from roles where name = 'passing'`, () =>
      flow.signIn(),
    )
    expect((await flow.whoIs(tokens)).roles).toEqual(['viewer'])
  })

  test('an account that is disabled before its session begins is not let in', async () => {
    const person = aPerson()
    const id = await idOf(await signIn(person))
    const call = flow.call()
    const { code } = await whileOthers(
      sql`update users set disabled_at = now() where id = ${id}`,
      () => failure(flow.signIn('corp', call)),
    )
    expect([status.UNAUTHENTICATED, status.PERMISSION_DENIED]).toContain(code)
    expect(['user_changed', 'disabled_user']).toContain((await flow.refusalOf(call)).denial_reason)
  })
})

/** Begins something while another's statement is not committed yet, and commits that once it is waited for. */
async function whileOthers<T>(
  statement: ReturnType<typeof sql>,
  begin: () => Promise<T>,
): Promise<T> {
  const { ownerUrl } = flow.identity.testDatabase
  const others = new Database({ url: ownerUrl, maxConnections: 1 })
  const { begun } = await others.transaction(async (transaction) => {
    await transaction.execute(statement)
    const begun = begin()
    const deadline = performance.now() + 5_000
    const waiting = sql`select from pg_locks where not granted`
    while ((await flow.identity.owner.execute(waiting)) === 0) {
      if (performance.now() > deadline) throw new Error('nobody waits')
    }
    return { begun }
  })
  await others.close()
  return begun
}

describe('claims', () => {
  test('give roles and attributes, at every sign-in anew', async () => {
    const person = aPerson({ groups: ['analysts', 'staff'], region: 'West', teams: ['a', 'b'] })
    const first = await signIn(person)
    const id = await idOf(first)
    expect(await flow.whoIs(first)).toMatchObject({
      roles: ['analyst', 'viewer'],
      rlsContext: {
        attributes: {
          region: { stringValue: 'West' },
          teams: { listValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } },
        },
      },
    })
    const second = await signIn({ ...person, groups: [], region: 'East', teams: undefined })
    for (const tokens of [first, second]) {
      const { roles, rlsContext } = await flow.whoIs(tokens)
      expect(roles).toEqual(['viewer'])
      expect(rlsContext?.attributes).toEqual({ region: { stringValue: 'East' } })
    }
    expect((await eventsOf(id)).at(-1)).toEqual({
      event_type: 'user_updated',
      additional_data: {
        by: 'oauth:corp',
        before: {
          roles: ['analyst', 'viewer'],
          attributes: { region: 'West', teams: ['a', 'b'] },
        },
        after: { roles: ['viewer'], attributes: { region: 'East' } },
      },
    })
  })

  test('that say what was said before change nothing', async () => {
    const person = aPerson({ groups: ['analysts'], region: 'West', teams: ['a'] })
    const id = await idOf(await signIn(person))
    const before = await eventsOf(id)
    await signIn(person)
    expect(await eventsOf(id)).toEqual(before)
  })

  test('leave alone what an admin gave besides', async () => {
    const person = aPerson({ groups: [] })
    const id = await idOf(await signIn(person))
    const attributes = { level: { numberValue: 3 } }
    await flow.identity.updateUser(id, { roles: ['developer', 'analyst'], attributes })
    const { roles, rlsContext } = await flow.whoIs(await signIn({ ...person, region: 'West' }))
    expect(roles).toEqual(['developer'])
    expect(rlsContext?.attributes).toEqual({ ...attributes, region: { stringValue: 'West' } })
  })

  test('neither give nor take admin unless the project allows it', async () => {
    const person = aPerson({ groups: ['owners'] })
    const id = await idOf(await signIn(person))
    expect((await flow.whoIs(await signIn(person))).roles).toEqual(['viewer'])
    await flow.identity.updateUser(id, { roles: ['admin'] })
    expect((await flow.whoIs(await signIn({ ...person, groups: [] }))).roles).toEqual(['admin'])
  })

  test('give and take admin where the project allows it', async () => {
    const person = aPerson({ groups: ['owners'] })
    expect((await flow.whoIs(await signIn(person, 'other'))).scopes).toContain('admin')
    expect((await flow.whoIs(await signIn({ ...person, groups: [] }, 'other'))).scopes).toEqual([])
  })

  test('do not take the last admin away', async () => {
    const admin = await flow.identity.owner.maybeOne(
      z.object({ id: z.string() }),
      sql`select id from users where email = ${ADMIN_EMAIL}`,
    )
    await flow.identity.updateUser(admin?.id ?? '', { emailVerified: true })
    await flow.identity.owner.execute(sql`
      delete from user_roles where role_name = 'admin' and user_id <> ${admin?.id}`)
    const person = aPerson({ email: ADMIN_EMAIL, groups: [] })
    await expectRefusal(person, 'last_admin', 'other')
    const { roles } = await flow.whoIs(await signIn({ ...person, groups: ['owners'] }, 'other'))
    expect(roles).toEqual(['admin'])
  })
})
