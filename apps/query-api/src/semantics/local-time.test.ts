import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { GRANULARITIES } from '../project/project.js'
import { ceiling, floor, formatLocalTime, next, parseTime } from './local-time.js'

function shown(text: string): string {
  const time = parseTime(text)
  if (!time) return 'none'
  if (time.kind === 'instant') return `instant ${time.text}`
  if (time.kind === 'moment') return `at ${formatLocalTime(time.at)}`
  return `${formatLocalTime(time.from)} until ${formatLocalTime(time.to)}`
}

describe('a written time', () => {
  test.each([
    ['2016', '2016-01-01T00:00:00 until 2017-01-01T00:00:00'],
    ['2016-Q1', '2016-01-01T00:00:00 until 2016-04-01T00:00:00'],
    ['2016-Q4', '2016-10-01T00:00:00 until 2017-01-01T00:00:00'],
    ['2016-02', '2016-02-01T00:00:00 until 2016-03-01T00:00:00'],
    ['2016-02-29', '2016-02-29T00:00:00 until 2016-03-01T00:00:00'],
    ['9999-12-31', '9999-12-31T00:00:00 until 10000-01-01T00:00:00'],
    ['0001-01-01', '0001-01-01T00:00:00 until 0001-01-02T00:00:00'],
    ['2016-01-31T23:59:59.999999', 'at 2016-01-31T23:59:59.999999'],
    ['2016-01-31 13:00', 'at 2016-01-31T13:00:00'],
    ['1969-12-31T23:59:59.5', 'at 1969-12-31T23:59:59.500000'],
    ['2016-01-31T13:00:00Z', 'instant 2016-01-31T13:00:00Z'],
    ['2016-01-31T13:00:00+02:00', 'instant 2016-01-31T13:00:00+02:00'],
    ['2015-02-29', 'none'],
    ['2016-02-30', 'none'],
    ['2016-13', 'none'],
    ['2016-00', 'none'],
    ['2016-Q5', 'none'],
    ['0000', 'none'],
    ['10000', 'none'],
    ['16', 'none'],
    ['2016-1-1', 'none'],
    ['2016-01-31T24:00:00', 'none'],
    ['2016-01-31T13:60', 'none'],
    ['2016-02-30T13:00:00Z', 'none'],
    ['2016-01-31T13:00:00+99:99', 'none'],
    ['2016-01-31Z', 'none'],
    ['infinity', 'none'],
    ['now', 'none'],
    ['0044-03-15 BC', 'none'],
    ['', 'none'],
  ])('%s means %s', (text, expected) => {
    expect(shown(text)).toBe(expected)
  })
})

describe('periods', () => {
  test.each([
    ['week', '2016-03-06T12:00', '2016-02-29T00:00:00', '2016-03-07T00:00:00'],
    ['week', '2016-02-29T00:00', '2016-02-29T00:00:00', '2016-03-07T00:00:00'],
    ['quarter', '2016-05-31T23:59', '2016-04-01T00:00:00', '2016-07-01T00:00:00'],
    ['year', '1969-06-01T00:00', '1969-01-01T00:00:00', '1970-01-01T00:00:00'],
    ['hour', '1969-12-31T23:30', '1969-12-31T23:00:00', '1970-01-01T00:00:00'],
  ] as const)('the %s of %s begins %s', (unit, text, begin, end) => {
    const time = parseTime(text)
    if (time?.kind !== 'moment') throw new Error('a moment')
    expect([formatLocalTime(floor(time.at, unit)), formatLocalTime(next(time.at, unit))]).toEqual([
      begin,
      end,
    ])
  })

  test('each moment lies in exactly one period, and the next begins where it ends', () => {
    const moment = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })
    fc.assert(
      fc.property(moment, fc.constantFrom(...GRANULARITIES), (at, unit) => {
        const start = floor(at, unit)
        const end = next(at, unit)
        expect(start <= at && at < end).toBe(true)
        expect([floor(start, unit), floor(end - 1n, unit), floor(end, unit)]).toEqual([
          start,
          start,
          end,
        ])
        expect(ceiling(at, unit)).toBe(at === start ? start : end)
      }),
    )
  })
})
