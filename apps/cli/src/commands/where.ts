import { suggest } from '@olytix/errors'
import { InvalidArgumentError } from 'commander'
import { isNumber, LosslessNumber } from 'lossless-json'

export interface Condition {
  readonly member: string
  readonly operator: string
  readonly value?: unknown
}

type Operands = 'one' | 'list' | 'none'

const OPERATORS: ReadonlyMap<string, Operands> = new Map<string, Operands>([
  ['equals', 'one'],
  ['notEquals', 'one'],
  ['contains', 'one'],
  ['notContains', 'one'],
  ['startsWith', 'one'],
  ['endsWith', 'one'],
  ['gt', 'one'],
  ['gte', 'one'],
  ['lt', 'one'],
  ['lte', 'one'],
  ['between', 'list'],
  ['inList', 'list'],
  ['notInList', 'list'],
  ['set', 'none'],
  ['notSet', 'none'],
])

const SIGNS: ReadonlyMap<string, string> = new Map([
  ['=', 'equals'],
  ['!=', 'notEquals'],
  ['>', 'gt'],
  ['>=', 'gte'],
  ['<', 'lt'],
  ['<=', 'lte'],
])

/**
 * `member operator value` as a condition. A number, `true` and `false` are sent as such, all else as text; what looks
 * like a number but is text stands in double quotes. Values of a list, and the two of `between`, are separated by
 * commas; one that holds a comma stands in double quotes.
 * @throws InvalidArgumentError that says what was expected, with the operator that was probably meant
 */
export function parseWhere(text: string): Condition {
  const [, member, word, rest = ''] = /^\s*(\S+)\s+(\S+)(?:\s+(.*?))?\s*$/s.exec(text) ?? []
  if (member === undefined || word === undefined) {
    throw new InvalidArgumentError(
      "Expected 'member operator value', as in 'orders.region equals West'.",
    )
  }
  const operator = SIGNS.get(word) ?? word
  const operands = OPERATORS.get(operator)
  if (operands === undefined) throw unknownOperator(word)
  return { member, operator, ...parseOperands(operands, word, rest) }
}

function parseOperands(operands: Operands, word: string, text: string): { value?: unknown } {
  if ((operands === 'none') !== (text === '')) {
    const expected = operands === 'none' ? 'no value' : 'a value'
    throw new InvalidArgumentError(`After ${word} ${expected} is expected.`)
  }
  if (operands === 'none') return {}
  return { value: operands === 'one' ? parseScalar(text) : parseList(word, text) }
}

function unknownOperator(word: string): InvalidArgumentError {
  const names = [...OPERATORS.keys()]
  const near = suggest(word, names)
  return new InvalidArgumentError(
    `There is no operator '${word}'; ${near ? `did you mean ${near}?` : `expected one of ${names.join(', ')}.`}`,
  )
}

function parseScalar(text: string): unknown {
  if (text.startsWith('"')) return parseQuoted(text)
  if (text === 'true' || text === 'false') return text === 'true'
  // Kept digit by digit: a JavaScript number would round a long one.
  return isNumber(text) ? new LosslessNumber(text) : text
}

function parseQuoted(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string') return value
  } catch {
    // Said below, with the rest that is no text in quotes.
  }
  throw new InvalidArgumentError(`${text} is no text in double quotes.`)
}

function parseList(word: string, text: string): readonly unknown[] {
  const values = splitList(text).map(parseScalar)
  if (word === 'between' && values.length !== 2) {
    throw new InvalidArgumentError('After between two values are expected: between 1,5')
  }
  return values
}

/** Splits at commas outside double quotes. */
function splitList(text: string): string[] {
  const entry = /(?:^|,)\s*("(?:[^"\\]|\\.)*"(?=\s*(?:,|$))|[^,]*)/gs
  const parts = [...text.matchAll(entry)].map(([, part = '']) => part.trim())
  if (parts.includes('')) throw new InvalidArgumentError('A value beside a comma is missing.')
  return parts
}
