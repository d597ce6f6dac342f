import { describe, expect, test } from '@jest/globals'
import { type Failures, networkOf, waitMs } from './throttle.js'

const NOW = new Date('2026-11-24T10:00:00.000Z')

function failures(count: number, agoMs = 0, kind: Failures['kind'] = 'account'): Failures {
  return { kind, failures: count, lastFailedAt: new Date(NOW.getTime() - agoMs) }
}

describe('the wait after failed passwords', () => {
  test.each([
    [0, 0],
    [1, 0],
    [4, 0],
    [5, 1_000],
    [6, 2_000],
    [10, 32_000],
    [14, 512_000],
    [15, 900_000],
    [1_000_000, 900_000],
  ])('after %d for an account is %d ms', (count, expected) => {
    expect(waitMs(count === 0 ? [] : [failures(count)], NOW)).toBe(expected)
  })

  test.each([
    [49, 0],
    [50, 1_000],
    [51, 2_000],
  ])('after %d for a network is %d ms', (count, expected) => {
    expect(waitMs([failures(count, 0, 'network')], NOW)).toBe(expected)
  })

  test('counts from the last failure, ends to the millisecond, and is forgotten after an hour', () => {
    expect(waitMs([failures(8, 7_999)], NOW)).toBe(1)
    expect(waitMs([failures(8, 8_000)], NOW)).toBe(0)
    expect(waitMs([failures(40, 899_999)], NOW)).toBe(1)
    expect(waitMs([failures(40, 3_600_000)], NOW)).toBe(0)
  })

  test('is the longest of all that apply', () => {
    expect(waitMs([failures(5), failures(53, 0, 'network')], NOW)).toBe(8_000)
  })
})

describe('the network of an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0:0:0:9', '2001:db8:1:2::/64'],
    ['2001:db8:1::7', '2001:db8:1:0::/64'],
    ['2001:db8::5:6:7:8:9', '2001:db8:0:5::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test('is one for 200 neighbours in a /64, and another next door', () => {
    const neighbours = Array.from({ length: 200 }, (_, host) =>
      networkOf(`2001:db8:1:2:${host.toString(16)}::${(host * 7).toString(16)}`),
    )
    expect(new Set(neighbours)).toEqual(new Set(['2001:db8:1:2::/64']))
    expect(networkOf('2001:db8:1:3::1')).not.toBe(neighbours[0])
  })

  test('is one of its own when it is not known', () => {
    expect(networkOf(null)).toBe('unknown')
  })
})
