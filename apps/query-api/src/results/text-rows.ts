import type { TextRows } from '@olytix/postgres'
import { isoTime, type ResultColumn, toJsonRows, typeOfColumn } from './json-rows.js'
import { writePeriod } from './period.js'

/** How rows are written one after another. */
export interface RowFormat {
  readonly mediaType: string
  readonly head: (columns: readonly ResultColumn[]) => string
  readonly write: (batch: TextRows, columns: readonly ResultColumn[]) => string
}

/** One JSON object a line. */
const NDJSON: RowFormat = {
  mediaType: 'application/x-ndjson',
  head: () => '',
  write: (batch, columns) => {
    const one = (row: TextRows['rows'][number]): string => {
      return `${toJsonRows({ fields: batch.fields, rows: [row] }, columns).slice(1, -1)}\n`
    }
    return batch.rows.map(one).join('')
  },
}

/** RFC 4180: a line of names, then one for each row; null is empty, an empty text is `""`. */
const CSV: RowFormat = {
  mediaType: 'text/csv; charset=utf-8',
  head: (columns) => `${columns.map(({ key }) => quoted(key)).join(',')}\r\n`,
  write: ({ fields, rows }, columns) => {
    const writers = columns.map(({ granularity }, index) => {
      if (granularity) return (text: string) => writePeriod(text, granularity)
      const type = typeOfColumn(fields[index]?.typeOid ?? 0)
      return WRITERS[type]
    })
    const line = (row: TextRows['rows'][number]): string =>
      writers.map((write, index) => cell(row[index], write)).join(',')
    return rows.map((row) => `${line(row)}\r\n`).join('')
  },
}

const WRITERS = {
  number: (text: string) => text,
  boolean: (text: string) => (text === 't' ? 'true' : 'false'),
  time: isoTime,
  string: quoted,
} as const

function cell(text: string | null | undefined, write: (text: string) => string): string {
  return text === null || text === undefined ? '' : write(text)
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

const FORMATS = [CSV, NDJSON]

/** The format that an Accept header asks for; `undefined` for JSON, or for anything. */
export function formatFor(accept: string): RowFormat | undefined {
  const wanted = accept.split(',').map((each) => each.split(';')[0]?.trim().toLowerCase() ?? '')
  return FORMATS.find(({ mediaType }) => wanted.includes(mediaType.split(';')[0] ?? ''))
}
