import { describe, expect, test } from '@jest/globals'
import { type Refusal, RefusalLedger } from './refusal-ledger.js'

const NOW = new Date('2026-11-24T10:00:30.000Z')
const NEXT_MINUTE = new Date('2026-11-24T10:01:00.000Z')

function aRefusal(changes: Partial<Refusal> = {}): Refusal {
  return {
    reason: 'unknown_credential',
    principal: null,
    resource: 'POST /api/v1/query',
    requestId: 'request-1',
    clientIp: '192.0.2.1',
    at: NOW,
    ...changes,
  }
}

const KEY = { id: 'key_1', email: null, roles: ['viewer'] }

describe('a refusal', () => {
  test('has an event at once, with the id of its request and its true reason', () => {
    const ledger = new RefusalLedger()
    ledger.note(aRefusal())
    ledger.note(aRefusal({ principal: KEY, reason: 'insufficient_scope', requestId: 'request-2' }))
    expect(ledger.take(NOW)).toEqual([
      {
        type: 'authentication',
        subjectKind: 'resource',
        subjectId: 'POST /api/v1/query',
        denialReason: 'unknown_credential',
        timestamp: NOW,
        origin: { principal: null, requestId: 'request-1', clientIp: '192.0.2.1' },
      },
      expect.objectContaining({
        type: 'authorization',
        origin: { principal: KEY, requestId: 'request-2', clientIp: '192.0.2.1' },
      }),
    ])
    expect(ledger.take(null)).toEqual([])
  })

  test.each([
    ['nobody', null, 10],
    ['a principal', KEY, 100],
  ])('of %s is counted once there were many in a minute', (_who, principal, single) => {
    const ledger = new RefusalLedger()
    for (let count = 0; count < 1_000; count += 1) {
      const at = new Date(NOW.getTime() + count)
      ledger.note(aRefusal({ principal, at, requestId: `request-${String(count)}` }))
    }
    expect(ledger.take(NOW)).toHaveLength(single)
    expect(ledger.take(NOW)).toEqual([])
    expect(ledger.take(NEXT_MINUTE)).toMatchObject([
      {
        denialReason: 'unknown_credential',
        origin: { principal, requestId: 'request-999', clientIp: '192.0.2.1' },
        data: {
          requests: 1_000 - single,
          first_at: new Date(NOW.getTime() + single),
          last_at: new Date(NOW.getTime() + 999),
        },
      },
    ])
  })

  test('is counted apart by cause, network, principal and minute', () => {
    const ledger = new RefusalLedger()
    const kinds: Partial<Refusal>[] = [
      {},
      { reason: 'malformed_credential' },
      { clientIp: '192.0.2.2' },
      { clientIp: '2001:db8::1' },
      { principal: KEY },
      { at: NEXT_MINUTE },
    ]
    for (const kind of kinds) {
      for (let count = 0; count < 101; count += 1) ledger.note(aRefusal(kind))
    }
    const counts = ledger.take(null).filter(({ data }) => data)
    expect(counts.map(({ data }) => data?.['requests'])).toEqual([91, 91, 91, 91, 1, 91])
  })

  test('from anywhere within a /64 of IPv6 is counted together', () => {
    const ledger = new RefusalLedger()
    for (let host = 1; host <= 50; host += 1) {
      ledger.note(aRefusal({ clientIp: `2001:db8:1:2::${host.toString(16)}` }))
    }
    const events = ledger.take(null)
    expect(events).toHaveLength(11)
    expect(events.at(-1)).toMatchObject({
      origin: { clientIp: '2001:db8:1:2::/64' },
      data: { requests: 40 },
    })
  })

  test('makes no more than about two thousand events a minute, whatever comes from wherever', () => {
    const ledger = new RefusalLedger()
    let written = 0
    for (let count = 0; count < 50_000; count += 1) {
      const [high, low] = [count >> 8, count & 255]
      const clientIp = `10.${String(high >> 8)}.${String(high & 255)}.${String(low)}`
      ledger.note(aRefusal({ clientIp, principal: { ...KEY, id: `key_${String(count)}` } }))
      if (count % 1_000 === 0) written += ledger.take(NOW).length
    }
    const rest = ledger.take(null)
    written += rest.length
    expect(written).toBeLessThanOrEqual(2_002)
    const counted = rest.reduce((sum, { data }) => sum + Number(data?.['requests'] ?? 0), 0)
    expect(counted).toBe(50_000 - 1_000)
    expect(rest.at(-1)?.origin).toMatchObject({ principal: null, clientIp: null })
  })

  test('that could not be written waits, and is written before later ones', () => {
    const ledger = new RefusalLedger()
    ledger.note(aRefusal({ requestId: 'request-1' }))
    const lost = ledger.take(NOW)
    ledger.note(aRefusal({ requestId: 'request-2' }))
    ledger.putBack(lost)
    expect(ledger.take(NOW).map(({ origin }) => origin.requestId)).toEqual([
      'request-1',
      'request-2',
    ])
  })
})
