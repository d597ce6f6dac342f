import type { Place, ProjectFile } from '@olytix/config/yaml'
import { CsvError, parse } from 'csv-parse/sync'

/** A file of comma-separated values (RFC 4180) that remembers where each of them stands. */
export interface CsvFile {
  readonly header: CsvRow
  readonly rows: readonly CsvRow[]
}

export interface CsvRow {
  /** An empty field is null, quoted or not. */
  readonly values: readonly (string | null)[]
  /** Of a value by its number from 0 on. */
  readonly placeOf: (index: number) => Place
}

/** What is wrong with the form of a file. */
export class CsvProblem extends Error {
  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message)
  }
}

const PARSER_OPTIONS = {
  bom: true,
  info: true,
  raw: true,
  relax_column_count: true,
  skip_empty_lines: true,
  record_delimiter: ['\r\n', '\n'],
}

const MESSAGES: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted value has no closing quote',
  CSV_INVALID_CLOSING_QUOTE: 'expected a comma or the end of the line after a closing quote',
  INVALID_OPENING_QUOTE: 'a quote inside of a value: quote the whole value, and double the quote',
}

/**
 * Reads a file with a line of names first. Empty lines count for nothing.
 * @throws CsvProblem
 */
export function readCsv(file: ProjectFile): CsvFile {
  let end = 0
  const [header, ...rows] = records(file).map(({ record, raw, info }) => {
    const line = end + 1
    end = info.lines
    return rowOf(record, (index) => placeIn(raw, index, { file: file.path, line, column: 1 }))
  })
  if (header) return { header, rows }
  const place = { file: file.path, line: 1, column: 1 }
  throw new CsvProblem('expected a first line with the names of the columns', place)
}

function records({ path, text }: ProjectFile): readonly ParsedRecord[] {
  try {
    // Declared for each combination of options anew; with `info` and `raw` a record has this shape.
    return parse(text, PARSER_OPTIONS) as unknown as readonly ParsedRecord[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const place = { file: path, line: Number(error['lines'] ?? 1), column: 1 }
    throw new CsvProblem(MESSAGES[error.code] ?? 'expected comma-separated values', place)
  }
}

interface ParsedRecord {
  readonly record: readonly string[]
  readonly raw: string
  /** `lines`: the line that the record ends in. */
  readonly info: { readonly lines: number }
}

function rowOf(record: readonly string[], placeOf: CsvRow['placeOf']): CsvRow {
  return { values: record.map((value) => (value === '' ? null : value)), placeOf }
}

/** @param start of the record, which begins after empty lines */
function placeIn(raw: string, index: number, start: Place): Place {
  const before = raw.slice(0, offsetOfField(raw, index)).split('\n')
  const column = (before.at(-1)?.length ?? 0) + 1
  return { ...start, line: start.line + before.length - 1, column }
}

function offsetOfField(raw: string, index: number): number {
  let offset = /^[\r\n]*/.exec(raw)?.[0].length ?? 0
  let isQuoted = false
  for (let left = index; left > 0 && offset < raw.length; offset += 1) {
    if (raw[offset] === '"') isQuoted = !isQuoted
    if (raw[offset] === ',' && !isQuoted) left -= 1
  }
  return offset
}
