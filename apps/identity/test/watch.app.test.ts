import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { credentials } from '@grpc/grpc-js'
import { Database, sql } from '@olytix/postgres'
import { AuthorizationServiceClient } from '@olytix/proto'
import { z } from 'zod'
import { ADMIN_KEY, as, Harness, unary } from './harness.js'
import { TcpGate } from '@olytix/postgres/testing'
import { Watch } from './watch.js'

/** The bound that the documentation states. */
const BOUND_MS = 1_000

let identity: Harness
/** As the service's own role, which alone may see and end its connections. */
let service: Database
let watches: Watch[] = []

beforeAll(async () => {
  identity = await Harness.start()
  service = new Database({ url: identity.testDatabase.url, maxConnections: 1 })
})

afterEach(() => {
  for (const watch of watches) watch.end()
  watches = []
})

afterAll(async () => {
  await service.close()
  await identity.end()
})

describe('a watch', () => {
  test('from nothing is told at once to forget everything, then hears at least once a second', async () => {
    const watch = startWatch(0)
    await watch.until(() => watch.told.length === 1)
    expect(watch.told[0]).toEqual({ revision: await revision(), resync: true, invalidations: [] })
    for (let heard = 1; heard < 4; heard += 1) {
      expect(await watch.until(() => watch.told.length > heard)).toBeLessThan(1_000)
    }
    expect(watch.told.slice(1, 4)).toEqual(
      Array.from({ length: 3 }, () => ({
        revision: watch.revision,
        resync: false,
        invalidations: [],
      })),
    )
  })

  test('from a revision hears exactly what came after it, in order', async () => {
    const before = await revision()
    const keys = [await createdKey(), await createdKey(), await createdKey()]
    const watch = startWatch(before)
    await watch.until(() => watch.told.length === 1)
    expect(watch.told[0]).toEqual({
      revision: before + 3,
      resync: false,
      invalidations: keys.map((id) => ({ kind: 'INVALIDATION_KIND_KEY', id })),
    })
  })

  test.each([
    ['beyond the present one', () => revision().then((present) => present + 1)],
    ['that no database has reached', () => Promise.resolve(4_294_967_295)],
    ['before one that was raised by hand', raisedByHand],
  ])('from a revision %s is told to forget everything', async (_which, from) => {
    const watch = startWatch(await from())
    await watch.until(() => watch.told.length === 1)
    expect(watch.told[0]).toMatchObject({ revision: await revision(), resync: true })
  })

  test('costs nothing once nobody watches', async () => {
    const watch = startWatch(0)
    await watch.until(() => watch.told.length === 1)
    watch.end()
    await eventually(async () => (await listeners()).length === 0)
    identity.proxy.statements = []
    for (let call = 0; call < 5; call += 1) await revision()
    expect(identity.proxy.statements.filter((text) => /from revisions\s*$/.test(text))).toEqual([])
  })

  test('hears nothing while the database is away, and what it missed once it is back', async () => {
    const watch = startWatch(await revision())
    await watch.until(() => watch.told.length > 0)
    identity.proxy.cut()
    const { length } = watch.told
    await expect(watch.until(() => watch.told.length > length, 1_500)).rejects.toThrow('not within')
    identity.proxy.restore()
    const id = await createdKey()
    await watch.hears(id)
    expect(watch.told.some(({ resync }) => resync)).toBe(false)
  })
})

describe('a watch whose connection is cut', () => {
  test('ends, and one that goes on from its last revision hears what it missed within the bound', async () => {
    const gate = await TcpGate.before(identity.address)
    const client = new AuthorizationServiceClient(gate.address, credentials.createInsecure())
    try {
      const before = new Watch(client, await revision())
      watches.push(before)
      const known = await createdKey()
      await before.hears(known)
      gate.cut()
      await before.until(() => before.isEnded)
      await revoke(known)
      const missed = await revision()
      gate.restore()
      const after = startWatch(before.revision)
      await after.until(() => after.revision >= missed, BOUND_MS)
      expect(after.invalidations.map(({ id }) => id)).toContain(known)
      expect(after.told.some(({ resync }) => resync)).toBe(false)
    } finally {
      client.close()
      await gate.stop()
    }
  })

  test('is told to forget everything when it goes on from a revision that is not known any more', async () => {
    const future = startWatch((await revision()) + 1_000)
    await future.until(() => future.told.length > 0, BOUND_MS)
    expect(future.told[0]?.resync).toBe(true)
  })

  test('falls silent when the line stalls, which its owner can tell from the missing checkpoint', async () => {
    const gate = await TcpGate.before(identity.address)
    const client = new AuthorizationServiceClient(gate.address, credentials.createInsecure())
    try {
      const stalled = new Watch(client, await revision())
      watches.push(stalled)
      await stalled.until(() => stalled.told.length > 0)
      gate.holdReplies()
      const heard = stalled.told.length
      const witness = startWatch(await revision())
      await witness.until(() => witness.told.length > 3)
      expect(stalled.told.length - heard).toBeLessThanOrEqual(1)
      expect(stalled.isEnded).toBe(false)
    } finally {
      client.close()
      await gate.stop()
    }
  })
})

describe('a revocation on one replica', () => {
  test('reaches watches of all replicas within the bound', async () => {
    const here = startWatch(await revision())
    const other = await identity.startAnother()
    const there = startWatch(await revision())
    await Promise.all([here, there].map((watch) => watch.until(() => watch.told.length > 0)))
    const took: number[] = []
    for (let round = 0; round < 30; round += 1) {
      const id = await createdKey()
      await revoke(id)
      took.push(...(await Promise.all([here.hears(id), there.hears(id)])))
    }
    expect(Math.max(...took)).toBeLessThan(BOUND_MS)
    await identity.stopOne(other)
    expect(there.isEnded).toBe(true)
  })

  test('is heard within the bound although the listening connections were killed', async () => {
    const watch = startWatch(await revision())
    await eventually(async () => (await listeners()).length === 1)
    for (let round = 0; round < 5; round += 1) {
      const id = await createdKey()
      await killListeners()
      await revoke(id)
      expect(await watch.hears(id)).toBeLessThan(BOUND_MS)
    }
    await eventually(async () => (await listeners()).length === 1)
  })
})

describe('the answer of Authorize', () => {
  test('may be reused for a minute at most, and names what ends that', async () => {
    const { secret, key } = await identity.createKey({ scopes: ['admin'], roles: ['analyst'] })
    const child = await identity.createKey({ scopes: ['read'] }, secret)
    const admin = await identity.authorize({ credential: ADMIN_KEY })
    const answer = await identity.authorize({ credential: child.secret })
    expect(answer.cacheTtlMs).toBe(60_000)
    expect(answer.dependsOn).toEqual([
      child.key?.id,
      key?.id,
      admin.principal?.id,
      expect.stringMatching(/^usr_/),
      'role:admin',
      'role:viewer',
    ])
  })
})

function startWatch(from: number): Watch {
  const watch = new Watch(identity.authorizationClient, from)
  watches.push(watch)
  return watch
}

function revision(): Promise<number> {
  return identity.authorize({ credential: ADMIN_KEY }).then((answer) => answer.revision)
}

async function raisedByHand(): Promise<number> {
  const before = await revision()
  await identity.owner.execute(sql`update revisions set value = value + 1`)
  return before
}

async function createdKey(): Promise<string> {
  const { key } = await identity.createKey()
  return key?.id ?? ''
}

async function revoke(id: string): Promise<void> {
  const client = identity.keyClient
  await unary((done) => client.revokeKey({ id }, as(ADMIN_KEY), done))
}

function listeners(): Promise<{ pid: number }[]> {
  return service.many(
    z.object({ pid: z.int() }),
    sql`
      select pid
      from pg_stat_activity
      where datname = current_database() and query like 'listen %'`,
  )
}

async function killListeners(): Promise<void> {
  await service.execute(sql`
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where datname = current_database() and query like 'listen %'`)
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('not within 5 s')
  }
}
