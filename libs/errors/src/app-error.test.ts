import { describe, expect, test } from '@jest/globals'
import { forbidden, invalidQuery, unauthorized } from './app-error.js'
import { suggest } from './suggest.js'

describe('the documented bodies', () => {
  test('401 and 403 are the same whatever the cause', () => {
    expect(JSON.stringify(unauthorized('expired').toBody())).toBe(
      '{"error":{"code":"UNAUTHORIZED","message":"Invalid or missing authentication"}}',
    )
    expect(JSON.stringify(forbidden('denied by a policy').toBody())).toBe(
      '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}',
    )
  })

  test('the message names the first problem and how many more there are', () => {
    const error = invalidQuery([
      { path: 'metrics[0]', message: 'unknown metric "x"' },
      { path: 'limit', message: 'expected 0 or more' },
    ])
    expect(error.message).toBe('metrics[0]: unknown metric "x" (and 1 more)')
  })
})

describe('suggest', () => {
  test.each([
    ['montly_revenue', ['total_revenue', 'monthly_revenue'], 'monthly_revenue'],
    ['Orders.Region', ['orders.region'], 'orders.region'],
    ['xyz', ['monthly_revenue'], undefined],
    ['a'.repeat(201), ['a'.repeat(200)], undefined],
  ])('%s', (wrong, candidates, expected) => {
    expect(suggest(wrong, candidates)).toBe(expected)
  })
})
