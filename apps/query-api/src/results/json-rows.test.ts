import { describe, expect, test } from '@jest/globals'
import { isoTime, toJsonRows } from './json-rows.js'

const one = (typeOid: number, text: string | null): string =>
  toJsonRows({ fields: [{ name: 'c0', typeOid }], rows: [[text]] }, [{ key: 'x' }])

describe('every value is written with what the database holds', () => {
  test.each([
    [20, '9007199254740993', '9007199254740993'],
    [1700, '1.10', '1.10'],
    [
      1700,
      '1234567890123456789012345678901234567890.5',
      '1234567890123456789012345678901234567890.5',
    ],
    [701, '1e+20', '1e+20'],
    [701, '-0', '-0'],
    [701, 'NaN', '"NaN"'],
    [701, '-Infinity', '"-Infinity"'],
    [1700, 'Infinity', '"Infinity"'],
    [16, 't', 'true'],
    [16, 'f', 'false'],
    [1082, '2016-01-31', '"2016-01-31"'],
    [1082, '0044-03-15 BC', '"0044-03-15 BC"'],
    [1114, '2016-01-31 13:00:00.5', '"2016-01-31T13:00:00.5"'],
    [1114, 'infinity', '"infinity"'],
    [1184, '2016-01-31 13:00:00+01', '"2016-01-31T13:00:00+01:00"'],
    [25, 'say "hi"\n\u2028', JSON.stringify('say "hi"\n\u2028')],
    [25, null, 'null'],
  ])('of type %d: %s', (typeOid, text, expected) => {
    expect(one(typeOid, text)).toBe(`[{"x":${expected}}]`)
  })
})

test('keys are written as they were asked for', () => {
  const fields = [
    { name: 'c0', typeOid: 25 },
    { name: 'c1', typeOid: 20 },
  ]
  const text = toJsonRows(
    {
      fields,
      rows: [
        ['a', '1'],
        [null, '2'],
      ],
    },
    [{ key: 'o.x' }, { key: '__proto__' }],
  )
  expect(text).toBe('[{"o.x":"a","__proto__":1},{"o.x":null,"__proto__":2}]')
})

test('no rows are an empty list', () => {
  expect(toJsonRows({ fields: [], rows: [] }, [])).toBe('[]')
})

test.each([
  ['2016-01-31 13:00:00+05:30', '2016-01-31T13:00:00+05:30'],
  ['2016-01-31 13:00:00.25-08', '2016-01-31T13:00:00.25-08:00'],
  ['0044-03-15 13:00:00+00 BC', '0044-03-15T13:00:00+00:00 BC'],
  ['12016-01-31 13:00:00', '12016-01-31T13:00:00'],
])('%s is written as %s', (text, expected) => {
  expect(isoTime(text)).toBe(expected)
})

test.each([
  ['2016-04-01 00:00:00', 'year', '2016'],
  ['2016-04-01 00:00:00', 'quarter', '2016-Q2'],
  ['2016-12-01 00:00:00', 'quarter', '2016-Q4'],
  ['2016-04-01 00:00:00', 'month', '2016-04'],
  ['2016-04-04 00:00:00', 'week', '2016-04-04'],
  ['2016-04-01 00:00:00', 'day', '2016-04-01'],
  ['2016-04-01 13:00:00', 'hour', '2016-04-01T13:00:00'],
  ['2016-04-01 13:05:09', 'second', '2016-04-01T13:05:09'],
  ['12016-04-01 00:00:00', 'month', '12016-04'],
  ['0044-03-01 00:00:00 BC', 'month', '0044-03 BC'],
  ['infinity', 'month', 'infinity'],
])('the period that begins %s, a %s, is written %s', (beginning, granularity, expected) => {
  const fields = [{ name: 'c0', typeOid: 1114 }]
  const text = toJsonRows({ fields, rows: [[beginning]] }, [{ key: 'x', granularity }])
  expect(text).toBe(JSON.stringify([{ x: expected }]))
})
