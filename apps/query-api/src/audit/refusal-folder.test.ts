import { aPrincipal } from '@olytix/auth-guards/testing'
import { describe, expect, test } from '@jest/globals'
import type { AuditEvent } from './audit-event.js'
import { RefusalFolder } from './refusal-folder.js'

const START = Date.UTC(2026, 0, 31)

function refusal(id: string, denialReason: string, seconds = 0): AuditEvent {
  return {
    type: 'access_denied',
    at: new Date(START + seconds * 1000),
    caller: { principal: aPrincipal({ id }), requestId: 'request-1', clientIp: '127.0.0.1' },
    subject: null,
    cube: 'orders',
    measures: [],
    dimensions: [],
    policies: [],
    predicates: [],
    maskingPolicies: [],
    maskedMembers: [],
    policyEvaluationMs: null,
    rows: null,
    denialReason,
    data: {},
  }
}

function admitted(folder: RefusalFolder, events: readonly AuditEvent[]): number {
  return events.filter((event) => folder.admits(event)).length
}

const many = (count: number, make: (at: number) => AuditEvent): AuditEvent[] =>
  Array.from({ length: count }, (_, at) => make(at))

describe('refusals', () => {
  test('of one principal and cause have 100 events a minute, and one that counts the rest', () => {
    const folder = new RefusalFolder()
    expect(
      admitted(
        folder,
        many(5000, (at) => refusal('key_1', 'hidden', at / 100)),
      ),
    ).toBe(100)
    expect(folder.take(START + 59_999)).toEqual([])
    expect(folder.take(START + 60_000)).toMatchObject([
      {
        denialReason: 'hidden',
        caller: { principal: { id: 'key_1' } },
        data: {
          requests: 4900,
          first_at: '2026-01-31T00:00:01.000Z',
          last_at: '2026-01-31T00:00:49.990Z',
        },
      },
    ])
  })

  test('of another principal or cause have events of their own', () => {
    const folder = new RefusalFolder()
    admitted(
      folder,
      many(500, () => refusal('key_1', 'hidden')),
    )
    expect(folder.admits(refusal('key_2', 'hidden'))).toBe(true)
    expect(folder.admits(refusal('key_1', 'other'))).toBe(true)
  })

  test('have events again in the next minute', () => {
    const folder = new RefusalFolder()
    admitted(
      folder,
      many(500, () => refusal('key_1', 'hidden')),
    )
    folder.take(START + 60_000)
    expect(folder.admits(refusal('key_1', 'hidden', 61))).toBe(true)
    expect(folder.take(START + 61_000)).toEqual([])
  })

  test('that are few leave nothing to count', () => {
    const folder = new RefusalFolder()
    folder.admits(refusal('key_1', 'hidden'))
    expect(folder.take(Infinity)).toEqual([])
  })

  test('of ever new principals cost no more than a thousand counts', () => {
    const folder = new RefusalFolder()
    const events = many(3000, (at) => refusal(`key_${String(at)}`, 'hidden'))
    expect(admitted(folder, events)).toBe(1000)
    expect(folder.take(Infinity)).toMatchObject([
      { caller: undefined, denialReason: 'various', data: { requests: 2000 } },
    ])
  })
})
