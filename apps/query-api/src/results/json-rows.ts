import type { TextRows } from '@olytix/postgres'
import { writePeriod } from './period.js'

/** OIDs of pg_type, as `select oid, typname from pg_type` gives them in every PostgreSQL. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700])
const BOOLEAN = 16
const TIMESTAMP = 1114
const TIMESTAMPTZ = 1184
const TIMES: ReadonlySet<number> = new Set([1082, TIMESTAMP, TIMESTAMPTZ])

type Write = (text: string) => string

/** A column of an answer: the key that its values have, and the granularity if they are periods. */
export interface ResultColumn {
  readonly key: string
  readonly granularity?: string | undefined
}

/**
 * Rows as the JSON text of an array of objects. Numbers are written with the very digits that the database wrote, so
 * that none is lost in a double; NaN and infinities, which JSON does not know, as strings. Times have a `T`.
 * @param results one for each column of the rows
 */
export function toJsonRows({ fields, rows }: TextRows, results: readonly ResultColumn[]): string {
  const columns = results.map(({ key, granularity }, index) => ({
    prefix: `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`,
    write: granularity
      ? (text: string) => JSON.stringify(writePeriod(text, granularity))
      : writerFor(fields[index]?.typeOid ?? 0),
  }))
  const objects = rows.map((row) => {
    let object = ''
    for (const [index, { prefix, write }] of columns.entries()) {
      const text = row[index]
      object += prefix + (text === null || text === undefined ? 'null' : write(text))
    }
    return columns.length === 0 ? '{}' : `${object}}`
  })
  return `[${objects.join(',')}]`
}

/** What the values of a column of this type are to those who read an answer. */
export function typeOfColumn(typeOid: number): 'string' | 'number' | 'boolean' | 'time' {
  if (NUMBERS.has(typeOid)) return 'number'
  if (typeOid === BOOLEAN) return 'boolean'
  return TIMES.has(typeOid) ? 'time' : 'string'
}

function writerFor(typeOid: number): Write {
  if (NUMBERS.has(typeOid)) return writeNumber
  if (typeOid === BOOLEAN) return (text) => (text === 't' ? 'true' : 'false')
  if (typeOid === TIMESTAMP || typeOid === TIMESTAMPTZ)
    return (text) => JSON.stringify(isoTime(text))
  return (text) => JSON.stringify(text)
}

function writeNumber(text: string): string {
  return /^-?\d/.test(text) ? text : JSON.stringify(text)
}

/** `2016-01-31 13:00:00+01` as `2016-01-31T13:00:00+01:00`; `infinity` and years BC stay as they are. */
export function isoTime(text: string): string {
  return text
    .replace(/^(\d{4,}-\d\d-\d\d) /, '$1T')
    .replace(/(T\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d)(?=$| )/, '$1:00')
}
