import { describe, expect, test } from '@jest/globals'
import { canonicalCidr, isAllowed } from './allowed-ips.js'

describe('an entry of an allow-list', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:0db8:0000::0001', '2001:db8::1/128'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:0a01:0203', '10.1.2.3/32'],
  ])('%s is kept as %s', (text, canonical) => {
    expect(canonicalCidr(text)).toBe(canonical)
  })

  test.each([
    '',
    ' ',
    '10.0.0.1/33',
    '10.0.0.1/8',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0',
    '010.0.0.1',
    '2001:db8::1/32',
    '2001:db8::/129',
    'fe80::1%eth0',
    'example.com',
    '10.0.0.0/8 ',
  ])('%j is refused', (text) => {
    expect(canonicalCidr(text)).toBeUndefined()
  })
})

describe('an address', () => {
  test.each([
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['2001:db8:1::2', ['2001:db8::/32'], true],
    ['2001:DB8:1::2', ['2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['10.1.2.3', ['::/0'], false],
    ['10.1.2.3', ['192.168.0.0/16', '10.1.2.3/32'], true],
    ['', ['0.0.0.0/0'], false],
    ['not an address', ['0.0.0.0/0'], false],
  ])('%s and the list %j: %s', (address, blocks, allowed) => {
    expect(isAllowed(address, blocks)).toBe(allowed)
  })
})
