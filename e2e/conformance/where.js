import { Refused } from './refused.js'

/** @typedef {string | number | boolean} Scalar */
/** @typedef {Record<string, unknown>} Leaf the beginning of a filter of ours: what is compared */
/** @typedef {{ and: Node[] } | { or: Node[] } | { not: Node } | Test} Node */
/** @typedef {Leaf & { operator: keyof typeof OPPOSITES, value?: unknown }} Test */
/** @typedef {{ leaf: Leaf, isTime: boolean }} Subject */
/** @typedef {{ member(call: string): Subject, bare(name: string): Subject }} Names */
/** @typedef {{ kind: string, text?: string, value?: Scalar }} Token */
/** @typedef {{ tokens: readonly Token[], at: number, names: Names }} Parser */

const TOKEN =
  /\s*(?:(\{\{.*?\}\})|('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|(<>|!=|<=|>=|=|<|>|\(|\)|,)|([A-Za-z_][A-Za-z0-9_]*))/gsy

/**
 * Reads a condition in SQL with names in templates into a filter tree of ours.
 * @param {string} text
 * @param {Names} names what a template or a bare name is: the
 * beginning of a filter, and whether its values are times
 */
export function readWhere(text, names) {
  const tokens = tokenize(text)
  const parser = { tokens, at: 0, names }
  const tree = readOr(parser)
  if (parser.at < tokens.length) throw new Refused(`cannot read ${JSON.stringify(text)}`)
  return negationsDown(tree, false)
}

/** @param {string} text */
function tokenize(text) {
  /** @type {Token[]} */
  const tokens = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text)
    if (!match) throw new Refused(`cannot read ${JSON.stringify(text)}`)
    const [, template, string, number, sign, word] = match
    if (template !== undefined)
      tokens.push({ kind: 'template', text: template.slice(2, -2).trim() })
    else if (string !== undefined)
      tokens.push({ kind: 'value', value: string.slice(1, -1).replaceAll("''", "'") })
    else if (number !== undefined) tokens.push({ kind: 'value', value: Number(number) })
    else if (sign !== undefined) tokens.push({ kind: sign })
    else tokens.push(keyword(word ?? ''))
  }
  return tokens
}

const KEYWORDS = ['AND', 'OR', 'NOT', 'IN', 'IS', 'NULL', 'CAST', 'AS', 'BETWEEN', 'TRUE', 'FALSE']

/**
 * @param {string} word
 * @returns {Token}
 */
function keyword(word) {
  const upper = word.toUpperCase()
  if (upper === 'TRUE' || upper === 'FALSE') return { kind: 'value', value: upper === 'TRUE' }
  return KEYWORDS.includes(upper) ? { kind: upper } : { kind: 'name', text: word }
}

/**
 * @param {Parser} parser
 * @param {string} kind
 */
function take(parser, kind) {
  if (parser.tokens[parser.at]?.kind !== kind) return undefined
  return parser.tokens[parser.at++]
}

/**
 * @param {Parser} parser
 * @param {string} kind
 */
function demand(parser, kind) {
  const token = take(parser, kind)
  if (!token) throw new Refused(`expected ${kind} in a condition`)
  return token
}

/**
 * @param {Parser} parser
 * @returns {Node}
 */
function readOr(parser) {
  const first = readAnd(parser)
  const nodes = [first]
  while (take(parser, 'OR')) nodes.push(readAnd(parser))
  return nodes.length === 1 ? first : { or: nodes }
}

/**
 * @param {Parser} parser
 * @returns {Node}
 */
function readAnd(parser) {
  const first = readNot(parser)
  const nodes = [first]
  while (take(parser, 'AND')) nodes.push(readNot(parser))
  return nodes.length === 1 ? first : { and: nodes }
}

/**
 * @param {Parser} parser
 * @returns {Node}
 */
function readNot(parser) {
  if (take(parser, 'NOT')) return { not: readNot(parser) }
  if (take(parser, '(')) {
    const inner = readOr(parser)
    demand(parser, ')')
    return inner
  }
  return readTest(parser)
}

/** @type {Readonly<Record<string, keyof typeof OPPOSITES | 'differs'>>} */
const OPERATORS = {
  '=': 'equals',
  '<>': 'differs',
  '!=': 'differs',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
}

/**
 * @param {Parser} parser
 * @returns {Node}
 */
function readTest(parser) {
  const subject = readSubject(parser)
  const found = Object.entries(OPERATORS).find(([sign]) => take(parser, sign))
  if (found) return compare(subject, found[1], readValue(parser))
  if (take(parser, 'IS')) {
    const isNegated = take(parser, 'NOT') !== undefined
    demand(parser, 'NULL')
    return { ...subject.leaf, operator: isNegated ? 'set' : 'notSet' }
  }
  if (take(parser, 'BETWEEN')) {
    const low = readValue(parser)
    demand(parser, 'AND')
    return { and: [compare(subject, 'gte', low), compare(subject, 'lte', readValue(parser))] }
  }
  const isNegated = take(parser, 'NOT') !== undefined
  if (take(parser, 'IN')) {
    /** @type {Test} */
    const list = { ...subject.leaf, operator: 'inList', value: readList(parser) }
    return isNegated ? { not: list } : list
  }
  return { ...subject.leaf, operator: 'equals', value: true }
}

/**
 * @param {Subject} subject
 * @param {keyof typeof OPPOSITES | 'differs'} operator
 * @param {Scalar} value
 * @returns {Node}
 */
function compare({ leaf, isTime }, operator, value) {
  const written = isTime && typeof value === 'string' ? moment(value) : value
  if (operator === 'differs') return { not: { ...leaf, operator: 'equals', value: written } }
  return { ...leaf, operator, value: written }
}

/**
 * A date is a moment in SQL, where it is a whole day in our filters.
 * @param {string} text
 */
function moment(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text.replace(' ', 'T')
}

/**
 * @param {Parser} parser
 * @returns {Subject}
 */
function readSubject(parser) {
  if (take(parser, 'CAST')) {
    demand(parser, '(')
    const inner = readSubject(parser)
    demand(parser, 'AS')
    demand(parser, 'name')
    demand(parser, ')')
    return inner
  }
  const template = take(parser, 'template')
  if (template) return parser.names.member(template.text ?? '')
  return parser.names.bare(demand(parser, 'name').text ?? '')
}

/**
 * @param {Parser} parser
 * @returns {Scalar}
 */
function readValue(parser) {
  if (take(parser, 'CAST')) {
    demand(parser, '(')
    const inner = readValue(parser)
    demand(parser, 'AS')
    demand(parser, 'name')
    demand(parser, ')')
    return inner
  }
  return demand(parser, 'value').value ?? ''
}

/** @param {Parser} parser */
function readList(parser) {
  demand(parser, '(')
  const values = [readValue(parser)]
  while (take(parser, ',')) values.push(readValue(parser))
  demand(parser, ')')
  return values
}

const OPPOSITES = /** @type {const} */ ({
  equals: 'notEquals',
  gt: 'lte',
  lte: 'gt',
  lt: 'gte',
  gte: 'lt',
  inList: 'notInList',
  set: 'notSet',
  notSet: 'set',
})

/**
 * NOT of what is unknown stays unknown in SQL, while our negations keep rows without a value.
 * @param {Node} node
 * @param {boolean} isNegated
 * @returns {object}
 */
function negationsDown(node, isNegated) {
  if ('not' in node) return negationsDown(/** @type {{ not: Node }} */ (node).not, !isNegated)
  if ('and' in node) return group('and', /** @type {{ and: Node[] }} */ (node).and, isNegated)
  if ('or' in node) return group('or', /** @type {{ or: Node[] }} */ (node).or, isNegated)
  if (!isNegated) return node
  const { operator } = /** @type {Test} */ (node)
  const opposite = { ...node, operator: OPPOSITES[operator] }
  if (operator === 'set' || operator === 'notSet') return opposite
  return { and: [opposite, { ...node, operator: 'set', value: undefined }] }
}

/**
 * @param {'and' | 'or'} kind
 * @param {readonly Node[]} nodes
 * @param {boolean} isNegated
 */
function group(kind, nodes, isNegated) {
  const other = kind === 'and' ? 'or' : 'and'
  const each = nodes.map((node) => negationsDown(node, isNegated))
  return { [isNegated ? other : kind]: each }
}
