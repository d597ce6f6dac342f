import { quote } from '@olytix/config/yaml'

/** Something wrong in a policy's filter, `offset` characters after its beginning. */
export class PolicyProblem extends Error {
  constructor(
    message: string,
    readonly offset: number,
    readonly suggestion?: string,
  ) {
    super(message)
  }
}

/** A word of a policy's filter; `offset` counts characters from its beginning. */
export interface Token {
  readonly kind: 'name' | 'user' | 'text' | 'number' | 'symbol' | 'end'
  readonly text: string
  readonly offset: number
}

const TOKEN =
  /\s*(?:(?<user>\$user\.[A-Za-z_]\w*)|(?<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?<number>-?\d+(?:\.\d+)?)|'(?<text>(?:[^']|'')*)'|(?<symbol><=|>=|<>|!=|[=<>(),]))/y

/** @throws PolicyProblem at the first character that begins no token */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  let end = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [whole] = match
    const offset = match.index + whole.length - whole.trimStart().length
    tokens.push(toToken(match.groups ?? {}, offset))
    end = match.index + whole.length
  }
  const rest = text.slice(end)
  if (rest.trim() !== '') {
    const offset = end + rest.length - rest.trimStart().length
    throw new PolicyProblem(`unexpected ${quote(rest.trim().slice(0, 1))}`, offset)
  }
  return [...tokens, { kind: 'end', text: '', offset: text.length }]
}

function toToken(groups: Readonly<Record<string, string | undefined>>, offset: number): Token {
  for (const kind of ['user', 'name', 'number', 'symbol'] as const) {
    const text = groups[kind]
    if (text !== undefined) return { kind, text, offset }
  }
  return { kind: 'text', text: (groups['text'] ?? '').replaceAll("''", "'"), offset }
}
