import { expect, test } from '@jest/globals'
import { stringify } from 'lossless-json'
import { collectAttribute } from './attributes.js'

test.each([
  ['region=West', '{"region":"West"}'],
  ['level=3', '{"level":"3"}'],
  ['level:=3', '{"level":3}'],
  ['regions:=["West","East"]', '{"regions":["West","East"]}'],
  ['empty=', '{"empty":""}'],
  ['note=a=b:=c', '{"note":"a=b:=c"}'],
])('--attr %s', (text, attributes) => {
  expect(stringify(collectAttribute(text))).toBe(attributes)
})

test.each([
  'region',
  '=West',
  'Region=West',
  '1a=b',
  'a-b=c',
  '__proto__:',
  'level:=West',
  'level:=',
])('--attr %s is refused', (text) => {
  expect(() => collectAttribute(text)).toThrow()
})

test('an attribute that is given twice is refused', () => {
  expect(() => collectAttribute('region=East', { region: 'West' })).toThrow('twice')
})
