/**
 * Figures that belong together, measured in the same run.
 * @typedef {object} Table
 * @property {string} title
 * @property {readonly string[]} columns
 * @property {readonly (readonly (string | number)[])[]} rows
 */

/**
 * Prints a table as Markdown, such that it can be copied into the README.
 * @param {Table} table
 */
export function printTable({ title, columns, rows }) {
  const lines = [columns, columns.map(() => '---'), ...rows]
  console.log(`\n**${title}**\n`)
  for (const line of lines) console.log(`| ${line.map(cell).join(' | ')} |`)
}

/** @param {string | number} value */
function cell(value) {
  if (typeof value === 'string') return value
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}
