import { createHash } from 'node:crypto'

/**
 * Why an answer is not the expected one; `undefined` when it is.
 * @param {object[]} actual rows by column
 * @param {object[]} expected
 */
export function difference(actual, expected, columns, isOrdered) {
  if (actual.length !== expected.length) {
    return `${actual.length} rows, expected ${expected.length}`
  }
  const left = isOrdered ? actual : sorted(actual, columns)
  const right = isOrdered ? expected : sorted(expected, columns)
  for (const [index, row] of left.entries()) {
    for (const column of columns) {
      if (same(row[column], right[index][column])) continue
      return `row ${index} ${column}: ${row[column]}, expected ${right[index][column]}`
    }
  }
  return undefined
}

function sorted(rows, columns) {
  const keyed = rows.map((row) => [columns.map((column) => canonical(row[column])).join('|'), row])
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row)
}

function canonical(value) {
  if (value === null || value === undefined) return '\\N'
  const number = asNumber(value)
  return number === undefined ? time(String(value)) : number.toPrecision(6)
}

function asNumber(value) {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)
    ? Number(value)
    : undefined
}

function time(text) {
  return /^\d{4}-\d\d-\d\d[ T]/.test(text) ? text.replace(' ', 'T').replace(/\.0+$/, '') : text
}

function same(actual, expected) {
  const [a, b] = [actual ?? null, expected ?? null]
  if (a === null || b === null) return a === b
  const [x, y] = [asNumber(a), asNumber(b)]
  if (x === undefined || y === undefined) return time(String(a)) === time(String(b))
  return Math.abs(x - y) <= 1e-6 * Math.max(Math.abs(x), Math.abs(y), 1e-9)
}

/** Why an answer of many rows is not the expected one, of which only a hash is known. */
export function otherHash(
  actual,
  { expected_rows_sha256: expected, expected_row_count: count },
  columns,
) {
  if (actual.length !== count) return `${actual.length} rows, expected ${count}`
  const lines = actual.map((row) => columns.map((column) => hashed(row[column])).join('|'))
  const text = lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join('\n')
  const hash = createHash('sha256').update(text).digest('hex')
  return hash === expected ? undefined : `rows have the hash ${hash}, expected ${expected}`
}

function hashed(value) {
  if (value === null || value === undefined) return '\\N'
  const number = typeof value === 'boolean' ? undefined : asNumber(value)
  return number === undefined ? time(String(value)) : String(Number(number.toPrecision(9)))
}
