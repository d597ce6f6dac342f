import { describe, expect, test } from '@jest/globals'
import { keyExpiry } from './key-expiry.js'

describe('a key for so many days', () => {
  test.each([
    ['2026-11-24T23:59:59.999Z', 365, '2027-11-24T00:00:00.000Z'],
    ['2026-11-25T00:00:00.000Z', 365, '2027-11-25T00:00:00.000Z'],
    ['2028-02-28T12:00:00.000Z', 1, '2028-02-29T00:00:00.000Z'],
    ['2028-02-29T12:00:00.000Z', 365, '2029-02-28T00:00:00.000Z'],
    ['2026-03-28T23:30:00.000Z', 1, '2026-03-29T00:00:00.000Z'],
  ])('made at %s for %i days ends at %s', (createdAt, days, end) => {
    expect(keyExpiry(new Date(createdAt), days).toISOString()).toBe(end)
  })
})
