import { createHash } from 'node:crypto'

/** @typedef {Record<string, unknown>} Row of an answer, by column */

/**
 * Why an answer is not the expected one; `undefined` when it is.
 * @param {readonly Row[]} actual
 * @param {readonly Row[]} expected
 * @param {readonly string[]} columns that are compared
 * @param {boolean} isOrdered
 */
export function difference(actual, expected, columns, isOrdered) {
  if (actual.length !== expected.length) {
    return `${String(actual.length)} rows, expected ${String(expected.length)}`
  }
  const left = isOrdered ? actual : sorted(actual, columns)
  const right = isOrdered ? expected : sorted(expected, columns)
  for (const [index, row] of left.entries()) {
    for (const column of columns) {
      const other = right[index]?.[column]
      if (same(row[column], other)) continue
      return `row ${String(index)} ${column}: ${String(row[column])}, expected ${String(other)}`
    }
  }
  return undefined
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} columns
 */
function sorted(rows, columns) {
  const keyed = rows.map((row) => {
    return { key: columns.map((column) => canonical(row[column])).join('|'), row }
  })
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row)
}

/** @param {unknown} value */
function canonical(value) {
  if (value === null || value === undefined) return '\\N'
  const number = asNumber(value)
  return number === undefined ? time(String(value)) : number.toPrecision(6)
}

/** @param {unknown} value */
function asNumber(value) {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)
    ? Number(value)
    : undefined
}

/** @param {string} text */
function time(text) {
  return /^\d{4}-\d\d-\d\d[ T]/.test(text) ? text.replace(' ', 'T').replace(/\.0+$/, '') : text
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
function same(actual, expected) {
  const [a, b] = [actual ?? null, expected ?? null]
  if (a === null || b === null) return a === b
  const [x, y] = [asNumber(a), asNumber(b)]
  if (x === undefined || y === undefined) return time(String(a)) === time(String(b))
  return Math.abs(x - y) <= 1e-6 * Math.max(Math.abs(x), Math.abs(y), 1e-9)
}

/**
 * Why an answer of many rows is not the expected one, of which only a hash is known.
 * @param {readonly Row[]} actual
 * @param {{ expected_rows_sha256: string, expected_row_count: number }} expected
 * @param {readonly string[]} columns
 */
export function otherHash(
  actual,
  { expected_rows_sha256: expected, expected_row_count: count },
  columns,
) {
  if (actual.length !== count) {
    return `${String(actual.length)} rows, expected ${String(count)}`
  }
  const lines = actual.map((row) => columns.map((column) => hashed(row[column])).join('|'))
  const text = lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join('\n')
  const hash = createHash('sha256').update(text).digest('hex')
  return hash === expected ? undefined : `rows have the hash ${hash}, expected ${expected}`
}

/** @param {unknown} value */
function hashed(value) {
  if (value === null || value === undefined) return '\\N'
  const number = typeof value === 'boolean' ? undefined : asNumber(value)
  return number === undefined ? time(String(value)) : String(Number(number.toPrecision(9)))
}
