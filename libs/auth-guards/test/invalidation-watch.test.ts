import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { CachingAuthorizer } from '../src/index.js'
import { aPrincipal, FakeClock } from '../src/testing/index.js'
import { FakeIdentity } from './fake-identity.js'

const QUESTION = {
  credential: { text: 'a-key-without-dots', source: 'header' },
  requiredScopes: ['read'],
  resource: 'POST /api/v1/query',
  clientIp: '127.0.0.1',
  requestId: 'request-1',
} as const

let clock: FakeClock
let identity: FakeIdentity
let authorizer: CachingAuthorizer

beforeEach(() => {
  clock = new FakeClock()
  identity = new FakeIdentity()
  identity.revision = 10
  identity.principals.set(QUESTION.credential.text, aPrincipal({ id: 'key_1' }))
  authorizer = new CachingAuthorizer(identity, { clock, random: () => 1 })
  authorizer.start()
})

afterEach(() => authorizer.close())

/** Whether a request passes without a question; it is asked once before. */
async function isCached(): Promise<boolean> {
  await authorizer.authorize(QUESTION)
  return isKnown()
}

async function isKnown(): Promise<boolean> {
  const before = identity.questions.length
  await authorizer.authorize(QUESTION)
  return identity.questions.length === before
}

describe('nothing is passed from memory', () => {
  test('before the stream has spoken', async () => {
    expect(await isCached()).toBe(false)
    identity.tell({ resync: true })
    expect(await isCached()).toBe(true)
  })

  test('from the moment on at which the stream ends, until the next one speaks', async () => {
    identity.tell({ resync: true })
    expect(await isCached()).toBe(true)
    identity.endStream()
    expect(await isKnown()).toBe(false)
    clock.advance(100)
    expect(identity.streams).toHaveLength(2)
    expect(await isKnown()).toBe(false)
    identity.tell()
    expect(await isKnown()).toBe(true)
  })

  test('after two seconds of silence', async () => {
    identity.tell({ resync: true })
    expect(await isCached()).toBe(true)
    clock.advance(2_000)
    expect(await isKnown()).toBe(true)
    clock.advance(1)
    expect(await isKnown()).toBe(false)
  })
})

describe('a stream', () => {
  test('that ends is continued from the last revision heard: nothing between is missed', async () => {
    identity.tell({ resync: true })
    await isCached()
    identity.endStream()
    clock.advance(100)
    expect(identity.streams.at(-1)?.fromRevision).toBe(10)
    identity.change('key_9', 'key_1')
    expect(await isKnown()).toBe(false)
  })

  test('that is silent is replaced, and what it still says is ignored', async () => {
    identity.tell({ resync: true })
    await isCached()
    const [old] = identity.streams
    clock.advance(2_600)
    expect(identity.streams).toHaveLength(2)
    expect(old?.isOpen).toBe(false)
    old?.watcher.onTold({ revision: 10, resync: false, changes: [] })
    expect(await isKnown()).toBe(false)
  })

  test('whose first word comes late is replaced as well: it may have been held up', async () => {
    clock.advance(2_250)
    identity.tell({ resync: true })
    expect(await isCached()).toBe(false)
    const { length } = identity.streams
    clock.advance(100)
    expect(identity.streams.length).toBe(length + 1)
    identity.tell({ resync: true })
    expect(await isCached()).toBe(true)
  })

  test('that is never silent is never replaced', () => {
    identity.tell({ resync: true })
    for (let second = 0; second < 100; second += 1) {
      clock.advance(1_000)
      identity.tell()
    }
    expect(identity.streams).toHaveLength(1)
  })

  test.each([
    ['leaves out a change', { revision: 12, changes: ['key_7'] }],
    ['goes back', { revision: 9, changes: [] }],
    ['says something twice', { revision: 10, changes: ['key_7'] }],
  ])('that %s is not believed: everything is forgotten and begun anew', async (_what, told) => {
    identity.tell({ resync: true })
    await isCached()
    identity.tell(told)
    expect(await isKnown()).toBe(false)
    clock.advance(100)
    expect(identity.streams.at(-1)?.fromRevision).toBe(0)
    identity.tell({ resync: true })
    expect(await isCached()).toBe(true)
  })

  test('that says the past is not known makes everything be forgotten, answers under way too', async () => {
    identity.tell({ resync: true })
    await isCached()
    const release = identity.hold()
    const slow = authorizer.authorize({ ...QUESTION, fresh: true })
    // A restored database: its revisions are lower, and mean something else.
    identity.revision = 5
    identity.tell({ resync: true })
    release()
    await slow
    expect(await isKnown()).toBe(false)
  })

  test('that cannot be had is tried again more and more rarely, at least every two seconds', () => {
    const waits: number[] = []
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { length } = identity.streams
      const from = clock.elapsedMs()
      identity.endStream()
      while (identity.streams.length === length) clock.advance(10)
      waits.push(clock.elapsedMs() - from)
    }
    expect(waits.slice(0, 7)).toEqual([50, 100, 200, 400, 800, 1_600, 2_000])
    expect(Math.max(...waits)).toBe(2_000)
  })

  test('is ended when nobody needs it any more', async () => {
    await authorizer.close()
    clock.advance(10_000)
    expect(identity.streams.map(({ isOpen }) => isOpen)).toEqual([false])
  })
})
