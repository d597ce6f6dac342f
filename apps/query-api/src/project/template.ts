import { quote } from '@olytix/config/yaml'
import { SqlProblem } from './sql-tree.js'

export type TemplateScalar = string | number | boolean | null
export type TemplateValue = TemplateScalar | readonly TemplateScalar[]

/** What stands between `{{` and `}}`: `source('raw', 'orders')`, or a bare word such as `this`. */
export interface TemplateCall {
  readonly name: string
  /** `undefined` for a bare word. */
  readonly values: readonly TemplateValue[] | undefined
  readonly named: ReadonlyMap<string, TemplateValue>
  /** In the text of the template. */
  readonly offset: number
  /** Whether it stands inside `{% if … %}`. */
  readonly isConditional: boolean
}

/** How a template becomes text. */
export interface Renderer {
  /** What a call becomes. @throws SqlProblem for one that is not known */
  call(call: TemplateCall): string
  /** What `is_incremental()` is; `undefined` where it cannot be asked. */
  readonly isIncremental: boolean | undefined
}

export interface Rendered {
  readonly text: string
  /** Where a position of the rendered text comes from in the template. */
  readonly offsetOf: (position: number) => number
}

interface Piece {
  readonly text: string
  /** Of the piece in the template. */
  readonly offset: number
  /** Positions inside it are those of the template. */
  readonly isVerbatim: boolean
}

const CLOSING: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}', '{#': '#}' }

interface Tag {
  readonly opening: string
  readonly inside: string
  /** Of `inside`. */
  readonly offset: number
  readonly from: number
  readonly to: number
}

/**
 * Renders `{{ call(…) }}`, `{% if is_incremental() %} … {% else %} … {% endif %}` and `{# comments #}`. Nothing else of
 * the language that they come from is known: no loops, macros, filters or expressions, so that a template cannot do
 * anything but choose a text.
 * @throws SqlProblem with the position in the template
 */
export function renderTemplate(template: string, renderer: Renderer): Rendered {
  const pieces: Piece[] = []
  const branch = new Branch(renderer)
  const addText = (from: number, to: number): void => {
    if (branch.isTaken)
      pieces.push({ text: template.slice(from, to), offset: from, isVerbatim: true })
  }
  let end = 0
  for (const tag of tagsOf(template)) {
    addText(end, tag.from)
    end = tag.to
    if (tag.opening === '{%') branch.enter(tag.inside.trim(), tag.from)
    if (tag.opening !== '{{') continue
    // A branch that is not taken is read all the same: what is wrong in it is wrong today.
    const call = parseCall(tag.inside, tag.offset, branch.isOpen)
    if (branch.isTaken) {
      pieces.push({ text: renderer.call(call), offset: tag.from, isVerbatim: false })
    }
  }
  addText(end, template.length)
  branch.finish(template.length)
  return { text: pieces.map(({ text }) => text).join(''), offsetOf: positionsIn(pieces) }
}

/** In time that grows with the text alone: every search begins where the last one ended. */
function* tagsOf(template: string): Generator<Tag> {
  const opening = /\{[{%#]/g
  for (let match = opening.exec(template); match; match = opening.exec(template)) {
    const [open] = match
    const close = CLOSING[open] ?? ''
    const end = template.indexOf(close, match.index + 2)
    if (end < 0) throw new SqlProblem(`${open} is never closed by ${close}`, match.index)
    const offset = match.index + (template[match.index + 2] === '-' ? 3 : 2)
    const last = end > offset && template[end - 1] === '-' ? end - 1 : end
    opening.lastIndex = end + 2
    const inside = template.slice(offset, last)
    yield { opening: open, inside, offset, from: match.index, to: end + 2 }
  }
}

function positionsIn(pieces: readonly Piece[]): (position: number) => number {
  return (position) => {
    let before = 0
    for (const { text, offset, isVerbatim } of pieces) {
      if (position < before + text.length) return isVerbatim ? offset + position - before : offset
      before += text.length
    }
    const last = pieces.at(-1)
    return last ? last.offset + (last.isVerbatim ? last.text.length : 0) : 0
  }
}

/** Where in `{% if %} … {% else %} … {% endif %}` the text stands; conditions are not nested. */
class Branch {
  private state: 'outside' | 'if' | 'else' = 'outside'
  private condition = true

  constructor(private readonly renderer: Renderer) {}

  get isOpen(): boolean {
    return this.state !== 'outside'
  }

  get isTaken(): boolean {
    if (this.state === 'outside') return true
    return this.state === 'if' ? this.condition : !this.condition
  }

  enter(statement: string, offset: number): void {
    const condition = /^if\s+(not\s+)?is_incremental\(\s*\)$/.exec(statement)
    if (condition && !this.isOpen) this.open(condition[1] !== undefined, offset)
    else if (statement === 'else' && this.state === 'if') this.state = 'else'
    else if (statement === 'endif' && this.isOpen) this.state = 'outside'
    else throw new SqlProblem(refusal(statement, this.isOpen), offset)
  }

  finish(offset: number): void {
    if (this.isOpen) throw new SqlProblem('{% if %} has no {% endif %}', offset)
  }

  private open(isNegated: boolean, offset: number): void {
    const { isIncremental } = this.renderer
    if (isIncremental === undefined) {
      throw new SqlProblem('is_incremental() is for models only', offset)
    }
    this.state = 'if'
    this.condition = isIncremental !== isNegated
  }
}

function refusal(statement: string, isOpen: boolean): string {
  const shown = `{% ${statement.length > 60 ? `${statement.slice(0, 60)}…` : statement} %}`
  if (isOpen && statement.startsWith('if')) return `${shown}: conditions cannot be nested`
  return `${shown} is not supported; expected {% if is_incremental() %}, {% else %} or {% endif %}`
}

const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|('(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*")|(-?\d+(?:\.\d+)?)|([(),=[\]]))\s*/y

interface Token {
  readonly text: string
  readonly kind: 'word' | 'string' | 'number' | 'sign'
  readonly offset: number
}

function tokensOf(text: string, offset: number): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match) {
      const rest = text.slice(at).trim()
      throw new SqlProblem(`cannot read ${quote(rest)} in {{ ${text.trim()} }}`, offset + at)
    }
    const [, word, string, number, sign] = match
    const start = offset + at + (match[0].length - match[0].trimStart().length)
    if (word !== undefined) tokens.push({ text: word, kind: 'word', offset: start })
    else if (string !== undefined) tokens.push({ text: string, kind: 'string', offset: start })
    else if (number !== undefined) tokens.push({ text: number, kind: 'number', offset: start })
    else tokens.push({ text: sign ?? '', kind: 'sign', offset: start })
  }
  return tokens
}

/** `name`, or `name(value, key=value)`; values are texts, numbers, `true`, `false`, `none` and lists of those. */
function parseCall(text: string, offset: number, isConditional: boolean): TemplateCall {
  const reader = new Reader(tokensOf(text, offset), offset)
  const word = reader.take('word')
  const call = { name: word.text, offset: word.offset, isConditional }
  if (!reader.hasMore()) return { ...call, values: undefined, named: new Map() }
  const values: TemplateValue[] = []
  const named = new Map<string, TemplateValue>()
  reader.take('sign', '(')
  while (!reader.isNext(')')) {
    const key = reader.takeKey()
    const value = reader.takeValue()
    if (key === undefined) values.push(value)
    else named.set(key, value)
    if (!reader.isNext(')')) reader.take('sign', ',')
  }
  reader.take('sign', ')')
  if (reader.hasMore()) throw reader.unexpected()
  return { ...call, values, named }
}

const WORDS: ReadonlyMap<string, TemplateScalar> = new Map<string, TemplateScalar>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

class Reader {
  private at = 0

  constructor(
    private readonly tokens: readonly Token[],
    private readonly start: number,
  ) {}

  hasMore(): boolean {
    return this.at < this.tokens.length
  }

  isNext(text: string): boolean {
    return this.tokens[this.at]?.text === text
  }

  take(kind: Token['kind'], text?: string): Token {
    const token = this.tokens[this.at]
    if (token?.kind !== kind || (text !== undefined && token.text !== text)) {
      throw this.unexpected(text)
    }
    this.at += 1
    return token
  }

  /** The `key` of `key=value`, if that is what comes. */
  takeKey(): string | undefined {
    if (this.tokens[this.at]?.kind !== 'word' || this.tokens[this.at + 1]?.text !== '=') {
      return undefined
    }
    const { text } = this.take('word')
    this.take('sign', '=')
    return text
  }

  takeValue(): TemplateValue {
    if (!this.isNext('[')) return this.takeScalar()
    this.take('sign', '[')
    const values: TemplateScalar[] = []
    while (!this.isNext(']')) {
      values.push(this.takeScalar())
      if (!this.isNext(']')) this.take('sign', ',')
    }
    this.take('sign', ']')
    return values
  }

  unexpected(expected = 'a call such as ref(…)'): SqlProblem {
    const token = this.tokens[this.at]
    const found = token ? quote(token.text) : 'the end'
    return new SqlProblem(`found ${found}, expected ${expected}`, token?.offset ?? this.start)
  }

  private takeScalar(): TemplateScalar {
    const token = this.tokens[this.at]
    if (token === undefined || token.kind === 'sign') throw this.unexpected('a value')
    this.at += 1
    if (token.kind === 'string') return token.text.slice(1, -1).replace(/\\([\s\S])/g, '$1')
    if (token.kind === 'number') return Number(token.text)
    const value = WORDS.get(token.text)
    if (value === undefined) {
      throw new SqlProblem(`found ${quote(token.text)}, expected a value`, token.offset)
    }
    return value
  }
}
