import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type AuthorizeQuestion, CachingAuthorizer, type Scope } from '../src/index.js'
import { aPrincipal, FakeClock } from '../src/testing/index.js'
import { FakeIdentity } from './fake-identity.js'

const KEY = 'a-key-without-dots'

let clock: FakeClock
let identity: FakeIdentity
let authorizer: CachingAuthorizer

beforeEach(() => {
  clock = new FakeClock()
  identity = new FakeIdentity()
  identity.principals.set(KEY, aPrincipal({ id: 'key_1', roles: ['viewer'], scopes: ['read'] }))
  authorizer = new CachingAuthorizer(identity, { clock, random: () => 1, maxEntries: 3 })
  authorizer.start()
  identity.tell({ resync: true })
})

afterEach(() => authorizer.close())

function question(more: Partial<AuthorizeQuestion> = {}, text = KEY): AuthorizeQuestion {
  return {
    credential: { text, source: 'header' },
    requiredScopes: ['read'],
    resource: 'POST /api/v1/query',
    clientIp: '127.0.0.1',
    requestId: 'request-1',
    ...more,
  }
}

const ask = (more: Partial<AuthorizeQuestion> = {}, text = KEY) =>
  authorizer.authorize(question(more, text))

/** How many questions identity is asked while that happens. */
async function asked(action: () => Promise<unknown>): Promise<number> {
  const before = identity.questions.length
  await action()
  return identity.questions.length - before
}

describe('a principal that is known', () => {
  test('passes without asking, and is the same frozen object', async () => {
    const first = await ask()
    expect(await asked(() => ask())).toBe(0)
    expect(await ask()).toEqual(first)
  })

  test('is judged by the scopes of each request: what they lack, identity refuses', async () => {
    const decision = async (...requiredScopes: Scope[]) => (await ask({ requiredScopes })).decision
    expect(await decision('read')).toBe('allow')
    expect(await asked(() => decision('admin'))).toBe(1)
    expect(await decision('admin')).toBe('refused')
    expect(await decision('read', 'admin')).toBe('refused')
    expect(await asked(() => decision('read'))).toBe(0)
    expect(await decision()).toBe('allow')
  })

  test('is asked for anew by a question that wants to be fresh', async () => {
    await ask()
    expect(await asked(() => ask({ fresh: true }))).toBe(1)
  })

  test('is another one in the query string than in the header', async () => {
    await ask()
    const inQuery = { credential: { text: KEY, source: 'query_parameter' } } as const
    expect(await asked(() => ask(inQuery))).toBe(1)
  })

  test('is forgotten after the time that identity gave, counted from the question', async () => {
    identity.ttlMs = 1_000
    const release = identity.hold()
    const slow = ask()
    clock.advance(400)
    identity.tell()
    release()
    await slow
    clock.advance(599)
    expect(await asked(() => ask())).toBe(0)
    clock.advance(1)
    expect(await asked(() => ask())).toBe(1)
  })

  test('is not let pass beyond the end of its credential, whatever identity allowed', async () => {
    const expiresAt = new Date(clock.now().getTime() + 1_500)
    identity.principals.set(KEY, aPrincipal({ id: 'key_1', expiresAt }))
    await ask()
    clock.advance(1_499)
    expect(await asked(() => ask())).toBe(0)
    clock.advance(1)
    expect(await asked(() => ask())).toBe(1)
  })

  test('makes room when there are too many', async () => {
    for (let each = 0; each < 4; each += 1) {
      identity.principals.set(`key${String(each)}`, aPrincipal({ id: `key_${String(each)}` }))
      await ask({}, `key${String(each)}`)
    }
    expect(await asked(() => ask({}, 'key3'))).toBe(0)
    expect(await asked(() => ask({}, 'key0'))).toBe(1)
  })

  test('is not kept when identity says so: each request is counted there', async () => {
    identity.ttlMs = 0
    expect(await asked(() => Promise.all([ask(), ask(), ask()]))).toBe(3)
    expect(await asked(() => ask())).toBe(1)
  })
})

describe('a refusal', () => {
  test('is never remembered', async () => {
    for (let each = 0; each < 3; each += 1) {
      expect(await asked(() => ask({}, 'nobody'))).toBe(1)
    }
    identity.principals.set('nobody', aPrincipal())
    expect((await ask({}, 'nobody')).decision).toBe('allow')
  })
})

describe('a change', () => {
  test.each(['key_1', 'role:viewer'])('of %s is asked about', async (id) => {
    await ask()
    identity.change(id)
    expect(await asked(() => ask())).toBe(1)
  })

  test('of something else is not', async () => {
    await ask()
    identity.change('key_2', 'role:admin')
    expect(await asked(() => ask())).toBe(0)
  })

  test('that is heard while an older answer is on its way: the next call is asked about', async () => {
    const release = identity.hold()
    const slow = ask()
    identity.ended.add(KEY)
    identity.change('key_1')
    release()
    expect((await slow).decision).toBe('allow')
    expect((await ask()).decision).toBe('unidentified')
  })

  test('separates who came before it from who comes after, though both wait', async () => {
    const release = identity.hold()
    const before = ask()
    identity.ended.add(KEY)
    identity.change('key_1')
    const after = ask()
    release()
    expect((await before).decision).toBe('allow')
    expect((await after).decision).toBe('unidentified')
  })

  test('to a credential that has ended is final: a slow answer does not bring it back', async () => {
    const release = identity.hold()
    const slow = ask()
    identity.ended.add(KEY)
    const early = ask({ fresh: true })
    release()
    await Promise.all([slow, early])
    // Identity would say yes again; nobody may take that from memory.
    identity.ended.delete(KEY)
    expect(await asked(() => ask())).toBe(1)
    expect(await asked(() => ask())).toBe(1)
  })

  test('of a kind that nobody here knows makes everything unknown', async () => {
    await ask()
    identity.revision += 1
    identity.tell({ changes: [undefined] })
    expect(await asked(() => ask())).toBe(1)
    clock.advance(60)
    expect(identity.streams.at(-1)?.fromRevision).toBe(0)
  })
})

describe('a revision that a caller has seen', () => {
  test('ends the use of what is older, until all of it has been heard', async () => {
    await ask()
    identity.ended.add(KEY)
    identity.revision += 1
    authorizer.expectRevision(identity.revision)
    expect((await ask()).decision).toBe('unidentified')
  })

  test('costs nothing once its changes have been heard', async () => {
    await ask()
    identity.change('key_2')
    authorizer.expectRevision(identity.revision)
    expect(await asked(() => ask())).toBe(0)
  })

  test('lets newer answers be used at once', async () => {
    identity.revision += 1
    authorizer.expectRevision(identity.revision)
    await ask()
    expect(await asked(() => ask())).toBe(0)
  })

  test('means nothing after a restore of an older state', async () => {
    authorizer.expectRevision(100)
    identity.tell({ resync: true })
    await ask()
    expect(await asked(() => ask())).toBe(0)
  })
})

describe('500 callers at once', () => {
  test('with one unknown key ask one question', async () => {
    const count = await asked(() => Promise.all(Array.from({ length: 500 }, () => ask())))
    expect(count).toBe(1)
  })

  test('with different demands are judged one by one', async () => {
    const verdicts = await Promise.all(
      Array.from({ length: 500 }, (_, each) =>
        ask({ requiredScopes: each % 2 === 0 ? ['read'] : ['admin'] }),
      ),
    )
    verdicts.forEach(({ decision }, each) => {
      expect(decision).toBe(each % 2 === 0 ? 'allow' : 'refused')
    })
  })

  test('share a failure, but not the error itself', async () => {
    identity.isDown = true
    const failures = await Promise.allSettled([ask(), ask(), ask()])
    const errors = failures.map((failure) =>
      failure.status === 'rejected' ? (failure.reason as unknown) : undefined,
    )
    expect(errors[0]).toMatchObject({ code: 'UNAVAILABLE' })
    expect(new Set(errors).size).toBe(3)
    expect(identity.questions).toHaveLength(1)
  })
})

describe('uses without a question', () => {
  test('are reported within seconds, added up per key, with the latest address', async () => {
    await ask()
    for (const clientIp of ['10.0.0.1', '10.0.0.2']) await ask({ clientIp })
    expect(identity.reported).toEqual([])
    clock.advance(2_000)
    await authorizer.close()
    expect(identity.reported).toEqual([
      {
        keyId: 'key_1',
        requests: 2,
        lastAt: new Date('2026-11-24T10:00:00Z'),
        clientIp: '10.0.0.2',
      },
    ])
  })

  test('are reported at the end', async () => {
    for (let each = 0; each < 6; each += 1) await ask()
    await authorizer.close()
    expect(identity.reported).toMatchObject([{ requests: 5 }])
  })

  test('are reported again when identity was away', async () => {
    for (let each = 0; each < 6; each += 1) await ask()
    identity.isDown = true
    clock.advance(2_000)
    await Promise.resolve()
    identity.isDown = false
    await authorizer.close()
    expect(identity.reported.reduce((sum, { requests }) => sum + requests, 0)).toBe(5)
  })

  test('of people are nobody’s business', async () => {
    identity.principals.set('a.b.c', aPrincipal({ id: 'usr_1', kind: 'user' }))
    for (let each = 0; each < 3; each += 1) await ask({}, 'a.b.c')
    await authorizer.close()
    expect(identity.reported).toEqual([])
  })
})
