import { expect, test } from '@jest/globals'
import { parseExpires } from './expires.js'

test.each([
  ['1d', 1],
  ['365d', 365],
  ['36500d', 36_500],
])('--expires %s is %d days', (text, days) => {
  expect(parseExpires(text)).toBe(days)
})

test.each([
  '',
  '0d',
  '00d',
  '-1d',
  '+1d',
  '1.5d',
  '365D',
  '365',
  'd',
  '1 d',
  ' 1d',
  '1d\n',
  '1h',
  '99999999d',
  '36501d',
  '１d',
])('--expires %j is refused', (text) => {
  expect(() => parseExpires(text)).toThrow('like 365d')
})
