import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import { fromGrpcError } from '@olytix/errors/nest'
import { sql } from '@olytix/postgres'
import type { AuditEvent, VerifyEventsResponse } from '@olytix/proto'
import { ADMIN_KEY, failure, Harness } from './harness.js'
import { AuditCalls } from './audit-calls.js'
import { KeyCalls, keyIn } from './key-calls.js'

let identity: Harness
let audit: AuditCalls

beforeAll(async () => {
  identity = await Harness.start()
  audit = new AuditCalls(identity)
})

afterAll(() => identity.end())

describe('the trail', () => {
  test('shows each event once over pages, newest first', async () => {
    for (let count = 0; count < 7; count += 1) await identity.createKey()
    const seen: AuditEvent[] = []
    let pageToken = ''
    do {
      const page = await audit.list({ pageSize: 3, pageToken })
      expect(page.events.length).toBeLessThanOrEqual(3)
      seen.push(...page.events)
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    const ids = seen.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(8)
    expect(ids).toEqual([...new Set(ids)].sort().reverse())
    expect(ids.at(-1)).toBe('evt_000000000001')
  })

  test('can be asked by type, by whom, on whom and when', async () => {
    identity.clock.advance(60_000)
    const from = identity.clock.at
    const admin = await identity.createKey({ scopes: ['admin'] })
    const made = await identity.createKey({}, admin.secret)
    const to = new Date(from.getTime() + 1)
    identity.clock.advance(60_000)
    await new KeyCalls(identity).revoke(keyIn(made).id)
    const types = async (filter: Parameters<AuditCalls['list']>[0]): Promise<string[]> =>
      (await audit.list(filter)).events.map(({ eventType }) => eventType)
    expect(await types({ subject: keyIn(made).id })).toEqual(['key_revoked', 'key_created'])
    expect(await types({ subject: keyIn(admin).id })).toEqual(['key_created', 'key_created'])
    expect(await types({ subject: keyIn(made).id, type: 'key_revoked' })).toEqual(['key_revoked'])
    expect(await types({ from, to })).toEqual(['key_created', 'key_created'])
    expect(await types({ from: to, type: 'key_revoked' })).toEqual(['key_revoked'])
    expect(await types({ subject: '%' })).toEqual([])
  })

  test('says who, on whom, when, and before and after', async () => {
    const { id } = keyIn(await identity.createKey({ name: 'before' }))
    const actor = await identity.authorize({ credential: ADMIN_KEY })
    await new KeyCalls(identity).update(id, ['name'], { name: 'after' })
    const [event] = (await audit.list({ subject: id })).events
    expect(event).toEqual({
      id: expect.stringMatching(/^evt_\d{12}$/),
      eventType: 'key_updated',
      timestamp: identity.clock.at,
      requestId: expect.stringMatching(/^[\w-]{8,64}$/),
      userId: actor.principal?.id,
      userEmail: '',
      userRoles: ['admin'],
      clientIp: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      subject: id,
      accessGranted: true,
      denialReason: '',
      additionalData: { before: { name: 'before' }, after: { name: 'after' } },
    })
  })

  test.each([
    [{ type: 'key_create' }, 'type', 'key_created'],
    [{ pageSize: 1001 }, 'page_size', undefined],
    [{ pageToken: 'evt_1' }, 'page_token', undefined],
    [{ pageToken: "' or 1=1 --" }, 'page_token', undefined],
    [{ from: new Date('0001-01-01') }, 'from', undefined],
    [{ subject: 'x'.repeat(501) }, 'subject', undefined],
  ])('refuses to be asked by %j', async (filter, path, suggestion) => {
    const error = await failure(audit.list(filter))
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    const details = fromGrpcError(error, 'Identity').details
    expect(details).toMatchObject([{ path, ...(suggestion && { suggestion }) }])
  })
})

describe('the chain of events', () => {
  test('is whole after many writers at once, on two replicas', async () => {
    const first = Array.from({ length: 20 }, () => identity.createKey())
    const other = await identity.startAnother()
    await Promise.all([...first, ...Array.from({ length: 20 }, () => identity.createKey())])
    await identity.stopOne(other)
    const check = await audit.verify()
    const [newest] = (await audit.list({ pageSize: 1 })).events
    expect(check).toEqual({
      intact: true,
      eventsChecked: Number(newest?.id.slice(4)),
      firstBrokenId: '',
      headHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test.each([
    ['user_id', sql`user_id = 'usr_other'`],
    ['timestamp', sql`timestamp = timestamp + interval '1 microsecond'`],
    ['additional_data', sql`additional_data = additional_data || '{"scopes": []}'`],
    ['subject_id', sql`subject_id = 'key_other'`],
    ['event_type', sql`event_type = 'key_updated'`],
    ['hash', sql`hash = sha256(hash)`],
  ])('shows where the %s of an event was changed', async (_column, change) => {
    await tamper(sql`update audit_events set ${change} where id = 5`, {
      intact: false,
      firstBrokenId: 'evt_000000000005',
    })
  })

  test('shows which event is missing, also if it is the first or the last', async () => {
    const { eventsChecked } = await audit.verify()
    for (const id of [1, 4, eventsChecked]) {
      await tamper(sql`delete from audit_events where id = ${id}`, {
        intact: false,
        firstBrokenId: `evt_${String(id).padStart(12, '0')}`,
      })
    }
  })

  test('shows an event that was put in between', async () => {
    await tamper(
      sql`
        with moved as (update audit_events set id = -id where id > 6 returning id)
        select from moved`,
      { intact: false, firstBrokenId: 'evt_000000000007' },
    )
  })

  test('shows a last event that was written anew with its hash', async () => {
    const { eventsChecked } = await audit.verify()
    const last = sql`where id = ${eventsChecked}`
    await tamper(
      [
        sql`update audit_events set user_id = 'usr_other' ${last}`,
        sql`
          update audit_events as event
          set hash = audit_event_hash(
            (select hash from audit_events where id = ${eventsChecked - 1}), event
          )
          ${last}`,
      ],
      { intact: false, firstBrokenId: `evt_${String(eventsChecked).padStart(12, '0')}` },
    )
  })

  /** Changes the trail as its owner, past the service; afterwards it is as before. */
  async function tamper(
    statements: ReturnType<typeof sql> | ReturnType<typeof sql>[],
    found: Partial<VerifyEventsResponse>,
  ): Promise<void> {
    await identity.owner.execute(sql`create table kept as select * from audit_events`)
    try {
      expect((await audit.verify()).intact).toBe(true)
      for (const statement of [statements].flat()) await identity.owner.execute(statement)
      expect(await audit.verify()).toMatchObject(found)
    } finally {
      await identity.owner.transaction(async (transaction) => {
        await transaction.execute(sql`alter table audit_events disable trigger audit_events__chain`)
        await transaction.execute(sql`truncate audit_events`)
        await transaction.execute(sql`insert into audit_events select * from kept`)
        await transaction.execute(sql`alter table audit_events enable trigger audit_events__chain`)
        await transaction.execute(sql`drop table kept`)
      })
    }
    expect((await audit.verify()).intact).toBe(true)
  }
})
