import { typeOfColumn } from './column-types.js'
import { isoTime, jsonRowWriter } from './json-rows.js'
import { writePeriod } from './period.js'
import type { ResultColumn, RowFormat, TextRow } from './result-column.js'

/** One JSON object a line. */
export const NDJSON: RowFormat = {
  mediaType: 'application/x-ndjson',
  open: (columns, fields) => {
    const write = jsonRowWriter(columns, fields)
    return {
      head: '',
      rows: (rows) => rows.map((row) => `${write(row)}\n`).join(''),
      end: () => '',
    }
  },
}

/** RFC 4180: a line of names, then one for each row; null is empty, an empty text is `""`. */
export const CSV: RowFormat = csvFormat((text) => text)

/** The same for spreadsheets: no text is a formula there. */
export const CSV_WITHOUT_FORMULAS: RowFormat = csvFormat(withoutFormula)

function csvFormat(escape: Write): RowFormat {
  return {
    mediaType: 'text/csv; charset=utf-8',
    open: (columns, fields) => {
      const writers = columns.map((column, index) =>
        writerFor(column, fields[index]?.typeOid ?? 0, escape),
      )
      const line = (row: TextRow): string =>
        writers.map((write, index) => cell(row[index], write)).join(',')
      return {
        head: `${columns.map(({ key }) => quoted(key)).join(',')}\r\n`,
        rows: (rows) => rows.map((row) => `${line(row)}\r\n`).join(''),
        end: () => '',
      }
    },
  }
}

type Write = (text: string) => string

function writerFor({ granularity }: ResultColumn, typeOid: number, escape: Write): Write {
  if (granularity) return (text) => writePeriod(text, granularity)
  const type = typeOfColumn(typeOid)
  return type === 'string' ? (text) => quoted(escape(text)) : WRITERS[type]
}

const WRITERS = {
  number: (text: string) => text,
  boolean: (text: string) => (text === 't' ? 'true' : 'false'),
  time: isoTime,
} as const

function cell(text: TextRow[number] | undefined, write: Write): string {
  return text === null || text === undefined ? '' : write(text)
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

/**
 * A quote before what a spreadsheet would compute (OWASP, CSV Injection): a text that begins with `= + - @`, their
 * full-width forms, a tab or a line end. Texts that are plain numbers stay.
 */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text) ? `'${text}` : text
}
