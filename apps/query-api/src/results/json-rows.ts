import type { TextRows } from '@olytix/postgres'
import { kindOf, typeOfColumn } from './column-types.js'
import { writePeriod } from './period.js'
import type { ResultColumn, TextRow } from './result-column.js'

type Write = (text: string) => string

/**
 * Rows as the JSON text of an array of objects. Numbers are written with the very digits that the database wrote, so
 * that none is lost in a double; NaN and infinities, which JSON does not know, as strings. Times have a `T`.
 * @param results one for each column of the rows
 */
export function toJsonRows({ fields, rows }: TextRows, results: readonly ResultColumn[]): string {
  return `[${rows.map(jsonRowWriter(results, fields)).join(',')}]`
}

/** Writes one row as a JSON object. */
export function jsonRowWriter(
  results: readonly ResultColumn[],
  fields: TextRows['fields'],
): (row: TextRow) => string {
  const columns = results.map(({ key, granularity }, index) => ({
    prefix: `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`,
    write: granularity
      ? (text: string) => JSON.stringify(writePeriod(text, granularity))
      : writerFor(fields[index]?.typeOid ?? 0),
  }))
  return (row) => {
    let object = ''
    for (const [index, { prefix, write }] of columns.entries()) {
      const text = row[index]
      object += prefix + (text === null || text === undefined ? 'null' : write(text))
    }
    return columns.length === 0 ? '{}' : `${object}}`
  }
}

function writerFor(typeOid: number): Write {
  const type = typeOfColumn(typeOid)
  if (type === 'number') return writeNumber
  if (type === 'boolean') return (text) => (text === 't' ? 'true' : 'false')
  if (type === 'time' && kindOf(typeOid) !== 'date') return (text) => JSON.stringify(isoTime(text))
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
