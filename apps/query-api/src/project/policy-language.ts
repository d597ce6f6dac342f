import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { Hop } from './member-names.js'
import type { DimensionType } from './project.js'
import { PolicyProblem, type Token, tokenize } from './policy-tokens.js'

/** `$user.id`, `$user.email`, `$user.roles`, or one of the principal's attributes. */
export interface UserValue {
  readonly user: string
}

export type PolicyLiteral = string | number | boolean

export type PolicyOperand = { readonly literal: PolicyLiteral } | UserValue

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** The filter of a row-level policy. SQL's logic: what compares with NULL is neither true nor false, and hidden. */
export type PolicyCondition =
  | { readonly kind: 'and'; readonly conditions: readonly PolicyCondition[] }
  | { readonly kind: 'or'; readonly conditions: readonly PolicyCondition[] }
  | { readonly kind: 'not'; readonly condition: PolicyCondition }
  | PolicyTest

/** One condition that compares a dimension. */
export type PolicyTest = PolicySubject &
  (
    | {
        readonly kind: 'compare'
        readonly operator: ComparisonOperator
        readonly operand: PolicyOperand
      }
    | { readonly kind: 'between'; readonly low: PolicyOperand; readonly high: PolicyOperand }
    | { readonly kind: 'in'; readonly list: UserValue | PolicyLiteral[] }
    | { readonly kind: 'isNull'; readonly isNegated: boolean }
  )

/** A dimension of the policy's cube, or of one that joins lead to: then the test must hold for the row that they find. */
export interface PolicySubject {
  readonly dimension: string
  /** From the policy's cube; none for a dimension of its own. */
  readonly through: readonly Hop[]
}

/** What a policy may compare. */
export interface PolicyDimensions {
  /** @returns the reason as a text when there is none of this name */
  find(name: string): (PolicySubject & { readonly type: DimensionType }) | string
  /** For near names. */
  names(): Iterable<string>
}

const ATTRIBUTE = /^[a-z_][a-z0-9_]{0,62}$/

/**
 * Parses the filter of a policy over one cube's dimensions, and those of cubes that its rows are joined to:
 * `region = $user.region and not (customers.status in ('draft', 'void') or amount is null)`.
 * @param dimensions with their types: literals must fit
 * @throws PolicyProblem
 */
export function parsePolicyFilter(text: string, dimensions: PolicyDimensions): PolicyCondition {
  const parser = new Parser(tokenize(text), dimensions)
  return parser.parse()
}

class Parser {
  private position = 0
  private depth = 0

  constructor(
    private readonly tokens: readonly Token[],
    private readonly dimensions: PolicyDimensions,
  ) {}

  parse(): PolicyCondition {
    const condition = this.either()
    if (this.next.kind !== 'end') throw this.unexpected('and, or, or the end of the filter')
    return condition
  }

  private either(): PolicyCondition {
    const conditions = [this.both()]
    while (this.takeWord('or')) conditions.push(this.both())
    return joined('or', conditions)
  }

  private both(): PolicyCondition {
    const conditions = [this.single()]
    while (this.takeWord('and')) conditions.push(this.single())
    return joined('and', conditions)
  }

  private single(): PolicyCondition {
    if (++this.depth > 100) throw this.unexpected('a filter that is not nested so deeply')
    try {
      if (this.takeWord('not')) return { kind: 'not', condition: this.single() }
      if (!this.takeSymbol('(')) return this.comparison()
      const condition = this.either()
      if (!this.takeSymbol(')')) throw this.unexpected(')')
      return condition
    } finally {
      this.depth--
    }
  }

  private comparison(): PolicyCondition {
    const [subject, type] = this.subject()
    if (this.takeWord('is')) {
      const isNegated = this.takeWord('not')
      if (!this.takeWord('null')) throw this.unexpected('null')
      return { ...subject, kind: 'isNull', isNegated }
    }
    const isNegated = this.takeWord('not')
    if (this.takeWord('in')) {
      return negated({ ...subject, kind: 'in', list: this.list(type) }, isNegated)
    }
    if (this.takeWord('between')) {
      const low = this.operand(type)
      if (!this.takeWord('and')) throw this.unexpected('and')
      return negated({ ...subject, kind: 'between', low, high: this.operand(type) }, isNegated)
    }
    const operator = COMPARISONS[this.next.kind === 'symbol' ? this.next.text : '']
    if (!operator || isNegated) throw this.unexpected('= <> < <= > >= in between is')
    this.position++
    return { ...subject, kind: 'compare', operator, operand: this.operand(type) }
  }

  private subject(): [PolicySubject, DimensionType] {
    const { kind, text, offset } = this.next
    if (kind !== 'name') throw this.unexpected('a dimension')
    const found = this.dimensions.find(text)
    if (typeof found === 'string') {
      throw new PolicyProblem(found, offset, suggest(text, this.dimensions.names()))
    }
    this.position++
    const { type, ...subject } = found
    return [subject, type]
  }

  private operand(type: DimensionType): PolicyOperand {
    return this.userValue() ?? { literal: this.literal(type) }
  }

  private list(type: DimensionType): UserValue | PolicyLiteral[] {
    const user = this.userValue()
    if (user) return user
    if (!this.takeSymbol('(')) throw this.unexpected('( or $user.<attribute>')
    const literals = [this.literal(type)]
    while (this.takeSymbol(',')) literals.push(this.literal(type))
    if (!this.takeSymbol(')')) throw this.unexpected(')')
    return literals
  }

  private userValue(): UserValue | undefined {
    if (this.next.kind !== 'user') return undefined
    const user = this.next.text.slice('$user.'.length)
    if (!ATTRIBUTE.test(user)) throw this.unexpected('an attribute in lower case')
    this.position++
    return { user }
  }

  private literal(type: DimensionType): PolicyLiteral {
    const token = this.next
    const value = literalOf(token)
    const expected = type === 'time' ? 'string' : type
    if (value === undefined || typeof value !== expected) {
      throw this.unexpected(`${LITERALS[type]} or $user.<attribute>`)
    }
    this.position++
    return value
  }

  private get next(): Token {
    return this.tokens[this.position] ?? { kind: 'end', text: '', offset: 0 }
  }

  private takeWord(word: string): boolean {
    const found = this.next.kind === 'name' && this.next.text.toLowerCase() === word
    if (found) this.position++
    return found
  }

  private takeSymbol(symbol: string): boolean {
    const found = this.next.kind === 'symbol' && this.next.text === symbol
    if (found) this.position++
    return found
  }

  private unexpected(expected: string): PolicyProblem {
    const { kind, text, offset } = this.next
    const found = kind === 'end' ? 'the end' : quote(text)
    return new PolicyProblem(`expected ${expected}, found ${found}`, offset)
  }
}

const LITERALS: Readonly<Record<DimensionType, string>> = {
  string: "a text in '…'",
  number: 'a number',
  boolean: 'true or false',
  time: "a date in '…'",
}

const COMPARISONS: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

function literalOf({ kind, text }: Token): PolicyLiteral | undefined {
  if (kind === 'text') return text
  if (kind === 'number') return Number(text)
  if (kind === 'name' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return undefined
}

function joined(kind: 'and' | 'or', conditions: PolicyCondition[]): PolicyCondition {
  const [first, ...others] = conditions
  return first && others.length === 0 ? first : { kind, conditions }
}

function negated(condition: PolicyCondition, isNegated: boolean): PolicyCondition {
  return isNegated ? { kind: 'not', condition } : condition
}

export function isUserValue(operand: unknown): operand is UserValue {
  return typeof operand === 'object' && operand !== null && 'user' in operand
}
