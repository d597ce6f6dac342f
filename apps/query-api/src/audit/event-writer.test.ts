import { AppError, unavailable } from '@olytix/errors'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { describe, expect, test } from '@jest/globals'
import type { AuditEvent } from './audit-event.js'
import { EventWriter } from './event-writer.js'

function event(reason: string): AuditEvent {
  return {
    type: 'access_denied',
    at: new Date(0),
    caller: { principal: aPrincipal(), requestId: 'request-1', clientIp: '127.0.0.1' },
    subject: null,
    cube: null,
    measures: [],
    dimensions: [],
    policies: [],
    predicates: [],
    maskingPolicies: [],
    maskedMembers: [],
    policyEvaluationMs: null,
    rows: null,
    denialReason: reason,
    data: {},
  }
}

/** A table that refuses what is called bad, and everything while it is away. */
class Table {
  readonly rows: (string | null)[] = []
  isAway = false

  insert(events: readonly AuditEvent[]): Promise<void> {
    const reasons = events.map(({ denialReason }) => denialReason)
    if (this.isAway) return Promise.reject(unavailable('The database'))
    if (reasons.includes('bad')) return Promise.reject(new Error('violates a constraint'))
    if (reasons.includes('last')) this.isAway = true
    this.rows.push(...reasons)
    return Promise.resolve()
  }
}

function writerTo(table: Table): EventWriter {
  return new EventWriter(
    (events) => table.insert(events),
    () => undefined,
  )
}

describe('an event that the database will never take', () => {
  test('does not take its neighbours with it', async () => {
    const table = new Table()
    const writer = writerTo(table)
    for (const reason of ['a', 'bad', 'b', 'c']) writer.keep(event(reason))
    await writer.flush()
    await writer.flush()
    expect(table.rows).toEqual(['a', 'b', 'c'])
  })

  test('is refused to whoever waits for it, and only to them', async () => {
    const table = new Table()
    const writer = writerTo(table)
    const outcomes = await Promise.allSettled(
      ['a', 'bad', 'b'].map((reason) => writer.write(event(reason))),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})

describe('a database that goes away', () => {
  test('while events are written one by one costs none of those that can wait', async () => {
    const table = new Table()
    const writer = writerTo(table)
    for (const reason of ['bad', 'last', 'b', 'c']) writer.keep(event(reason))
    await writer.flush()
    expect(table.rows).toEqual(['last'])
    table.isAway = false
    await writer.flush()
    expect(table.rows).toEqual(['last', 'b', 'c'])
  })

  test('is told at once to whoever waits', async () => {
    const table = new Table()
    table.isAway = true
    const error: unknown = await writerTo(table)
      .write(event('a'))
      .catch((thrown: unknown) => thrown)
    expect(error instanceof AppError && error.code).toBe('UNAVAILABLE')
  })
})
