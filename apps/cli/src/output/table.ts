import { printable } from './printable.js'

export interface TableColumn {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** A table with a head, one line per row, each line ended; no blanks at the end of lines. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): string {
  const head = columns.map((column) => printable(column.title))
  const body = rows.map((row) => row.map(printable))
  const widths = head.map((title, at) =>
    body.reduce((widest, row) => Math.max(widest, widthOf(row[at] ?? '')), widthOf(title)),
  )
  const rule = widths.map((width) => '-'.repeat(width))
  return [head, rule, ...body]
    .map((cells) =>
      cells
        .map((text, at) => pad(text, widths[at] ?? 0, columns[at]?.align))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** `name: value` lines with the values below each other. */
export function renderFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1
  return fields
    .map(([name, value]) => `${`${name}:`.padEnd(width)} ${printable(value)}`.trimEnd() + '\n')
    .join('')
}

function pad(text: string, width: number, align: TableColumn['align']): string {
  const fill = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? fill + text : text + fill
}

const segmenter = new Intl.Segmenter()
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u

/** How many places of a terminal a text takes. */
function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}
