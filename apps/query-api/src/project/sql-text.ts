/** A stretch of SQL text: outside of literals, quoted names and comments, or one of those. */
interface Stretch {
  readonly text: string
  readonly isCode: boolean
}

const LITERAL =
  /('(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\2\$|--[^\n]*|\/\*[\s\S]*?\*\/)/

/** Splits SQL so that what stands in literals and comments is not taken for code. Joined again it is the same text. */
function stretches(sql: string): Stretch[] {
  const result: Stretch[] = []
  let rest = sql
  for (let match = LITERAL.exec(rest); match; match = LITERAL.exec(rest)) {
    result.push({ text: rest.slice(0, match.index), isCode: true })
    result.push({ text: match[0], isCode: false })
    rest = rest.slice(match.index + match[0].length)
  }
  return [...result, { text: rest, isCode: true }]
}

/** Replaces a pattern in the code of SQL, not in its literals. The pattern needs the flag `g`. */
export function replaceInCode(
  sql: string,
  pattern: RegExp,
  replace: (groups: readonly string[], offset: number) => string,
): string {
  let offset = 0
  return stretches(sql)
    .map(({ text, isCode }) => {
      const start = offset
      offset += text.length
      if (!isCode) return text
      return text.replace(pattern, (...matched: (string | number | undefined)[]) => {
        const at = matched.findIndex((each) => typeof each === 'number')
        const groups = matched.slice(0, at).map((group) => String(group ?? ''))
        return replace(groups, start + Number(matched[at]))
      })
    })
    .join('')
}
