import { describe, expect, test } from '@jest/globals'
import { stringify } from 'lossless-json'
import { parseWhere } from './where.js'

describe('--where', () => {
  // The right side is the JSON that is sent.
  test.each([
    ['orders.region equals West', '{"member":"orders.region","operator":"equals","value":"West"}'],
    ['  a.b   equals   New York ', '{"member":"a.b","operator":"equals","value":"New York"}'],
    ['a.b contains a, b', '{"member":"a.b","operator":"contains","value":"a, b"}'],
    ['a.b gt 5', '{"member":"a.b","operator":"gt","value":5}'],
    ['a.b lt -0.10', '{"member":"a.b","operator":"lt","value":-0.10}'],
    [
      'a.b equals 12345678901234567890.123456789',
      '{"member":"a.b","operator":"equals","value":12345678901234567890.123456789}',
    ],
    ['a.zip equals "04109"', '{"member":"a.zip","operator":"equals","value":"04109"}'],
    ['a.zip equals 04109', '{"member":"a.zip","operator":"equals","value":"04109"}'],
    ['a.b equals true', '{"member":"a.b","operator":"equals","value":true}'],
    ['a.b equals "true"', '{"member":"a.b","operator":"equals","value":"true"}'],
    ['a.b equals null', '{"member":"a.b","operator":"equals","value":"null"}'],
    ['a.b gte 2016-01-31', '{"member":"a.b","operator":"gte","value":"2016-01-31"}'],
    ['a.b = x', '{"member":"a.b","operator":"equals","value":"x"}'],
    ['a.b >= 1', '{"member":"a.b","operator":"gte","value":1}'],
    ['a.b != "say \\"hi\\""', '{"member":"a.b","operator":"notEquals","value":"say \\"hi\\""}'],
    ['a.b between 1,5', '{"member":"a.b","operator":"between","value":[1,5]}'],
    [
      'a.b between 2016-01-01, 2016-12-31',
      '{"member":"a.b","operator":"between","value":["2016-01-01","2016-12-31"]}',
    ],
    ['a.b inList West', '{"member":"a.b","operator":"inList","value":["West"]}'],
    [
      'a.b inList West, "New, \\"York\\"" ,3',
      '{"member":"a.b","operator":"inList","value":["West","New, \\"York\\"",3]}',
    ],
    ['a.b notSet', '{"member":"a.b","operator":"notSet"}'],
    ['a.b set ', '{"member":"a.b","operator":"set"}'],
  ])('%s', (text, sent) => {
    expect(stringify(parseWhere(text))).toBe(sent)
  })

  test.each([
    ['', "Expected 'member operator value'"],
    ['orders.region', "Expected 'member operator value'"],
    ['a.b equal West', 'did you mean equals?'],
    ['a.b EQUALS West', 'did you mean equals?'],
    ['a.b resembles West', 'expected one of equals, notEquals'],
    ['a.b constructor x', "There is no operator 'constructor'"],
    ['a.b equals', 'After equals a value is expected'],
    ['a.b set x', 'After set no value is expected'],
    ['a.b between 1', 'two values'],
    ['a.b between 1,2,3', 'two values'],
    ['a.b inList a,,b', 'beside a comma is missing'],
    ['a.b inList a,', 'beside a comma is missing'],
    ['a.b equals "open', 'no text in double quotes'],
    ['a.b inList "a"b', 'no text in double quotes'],
  ])('%j is refused and says what was expected', (text, message) => {
    expect(() => parseWhere(text)).toThrow(message)
  })
})
