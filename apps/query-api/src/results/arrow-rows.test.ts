import { describe, expect, test } from '@jest/globals'
import { tableFromIPC } from 'apache-arrow'
import { arrowFormat } from './arrow-rows.js'
import { toDays, toMicroseconds } from './arrow-time.js'
import type { ResultColumn, TextRow } from './result-column.js'

const COLUMN: ResultColumn = { key: 'x' }

/** Rows of one column as a reader of Arrow gets them. */
async function read(
  typeOid: number,
  batches: readonly (readonly TextRow[])[],
  { column = COLUMN, isDouble = false } = {},
): Promise<{ type: string; values: unknown[] }> {
  const writer = await arrowFormat(isDouble).open([column], [{ name: 'c0', typeOid }])
  const chunks = [writer.head, ...batches.map((rows) => writer.rows(rows)), writer.end()]
  const table = tableFromIPC(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))))
  const values = Array.from({ length: table.numRows }, (_, at): unknown =>
    table.getChildAt(0)?.get(at),
  )
  return { type: String(table.schema.fields[0]?.type), values }
}

describe('a value travels whole', () => {
  test.each([
    [16, 't', 'Bool', true],
    [23, '-7', 'Int32', -7],
    [20, '9007199254740993', 'Int64', 9007199254740993n],
    [701, '-0', 'Float64', -0],
    [701, 'NaN', 'Float64', NaN],
    [701, '-Infinity', 'Float64', -Infinity],
    [
      1700,
      '1234567890123456789012345678901234567890.50',
      'Utf8',
      '1234567890123456789012345678901234567890.50',
    ],
    [1700, 'NaN', 'Utf8', 'NaN'],
    [25, 'é "x"\n', 'Utf8', 'é "x"\n'],
    [25, '', 'Utf8', ''],
    [1082, '2016-02-29', 'Date32<DAY>', Date.UTC(2016, 1, 29)],
    [
      1114,
      '2016-02-29 13:00:00.25',
      'Timestamp<MICROSECOND>',
      Date.UTC(2016, 1, 29, 13, 0, 0, 250),
    ],
    [
      1184,
      '2016-02-29 13:00:00+05:30',
      'Timestamp<MICROSECOND, UTC>',
      Date.UTC(2016, 1, 29, 7, 30),
    ],
  ])('of type %d: %s as %s', async (typeOid, text, type, expected) => {
    const found = await read(typeOid, [[[text], [null]]])
    expect(found).toEqual({ type, values: [expected, null] })
  })

  test('numeric is a double for who prefers that', async () => {
    const found = await read(1700, [[['1.10']]], { isDouble: true })
    expect(found).toEqual({ type: 'Float64', values: [1.1] })
  })

  test.each([
    ['month', 'Date32<DAY>'],
    ['hour', 'Timestamp<MICROSECOND>'],
  ])('a period of a %s is its beginning, as %s', async (granularity, type) => {
    const column = { key: 'x', granularity }
    const found = await read(1114, [[['2016-04-01 00:00:00']]], { column })
    expect(found).toEqual({ type, values: [Date.UTC(2016, 3, 1)] })
  })
})

test('batches of any size follow each other, nulls in their places', async () => {
  const rows = (from: number, to: number): TextRow[] =>
    Array.from({ length: to - from }, (_, at) => [(from + at) % 3 === 0 ? null : String(from + at)])
  const { values } = await read(20, [rows(0, 1000), rows(1000, 1009), []])
  expect(values).toEqual(
    Array.from({ length: 1009 }, (_, at) => (at % 3 === 0 ? null : BigInt(at))),
  )
})

test('no rows still say what the columns are', async () => {
  expect(await read(20, [[]])).toEqual({ type: 'Int64', values: [] })
})

describe('times beyond what a Date of JavaScript holds', () => {
  test.each([
    ['0001-01-01', -719162],
    ['0001-12-31 BC', -719163],
    ['0044-03-15 BC', -735160],
    ['1900-03-01', -25508],
    ['2000-02-29', 11016],
    ['12016-01-01', 3669226],
    ['infinity', 2147483647],
    ['-infinity', -2147483648],
  ])('%s is day %d', (text, days) => {
    expect(toDays(text)).toBe(days)
  })

  test.each([
    ['1969-12-31 23:59:59.999999', -1n],
    ['1970-01-01 00:53:28+00:53:28', 0n],
    ['1970-01-01 00:00:00-03:30', 12_600_000_000n],
    ['0001-12-31 23:59:59 BC', -62_135_596_801_000_000n],
    ['infinity', 9223372036854775807n],
    ['-infinity', -9223372036854775808n],
  ])('%s is microsecond %d', (text, microseconds) => {
    expect(toMicroseconds(text)).toBe(microseconds)
  })
})
