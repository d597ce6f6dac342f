import { Refused } from './refused.js'

const TOKEN =
  /\s*(?:(\{\{.*?\}\})|('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|(<>|!=|<=|>=|=|<|>|\(|\)|,)|([A-Za-z_][A-Za-z0-9_]*))/gsy

/**
 * Reads a condition in SQL with names in templates into a filter tree of ours.
 * @param {string} text
 * @param {{ member(call: string): object, bare(name: string): object }} names what a template or a bare name is: the
 * beginning of a filter, and whether its values are times
 */
export function readWhere(text, names) {
  const tokens = tokenize(text)
  const parser = { tokens, at: 0, names }
  const tree = readOr(parser)
  if (parser.at < tokens.length) throw new Refused(`cannot read ${JSON.stringify(text)}`)
  return negationsDown(tree, false)
}

function tokenize(text) {
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
    else tokens.push(keyword(word))
  }
  return tokens
}

const KEYWORDS = ['AND', 'OR', 'NOT', 'IN', 'IS', 'NULL', 'CAST', 'AS', 'BETWEEN', 'TRUE', 'FALSE']

function keyword(word) {
  const upper = word.toUpperCase()
  if (upper === 'TRUE' || upper === 'FALSE') return { kind: 'value', value: upper === 'TRUE' }
  return KEYWORDS.includes(upper) ? { kind: upper } : { kind: 'name', text: word }
}

function take(parser, kind) {
  if (parser.tokens[parser.at]?.kind !== kind) return undefined
  return parser.tokens[parser.at++]
}

function demand(parser, kind) {
  const token = take(parser, kind)
  if (!token) throw new Refused(`expected ${kind} in a condition`)
  return token
}

function readOr(parser) {
  const nodes = [readAnd(parser)]
  while (take(parser, 'OR')) nodes.push(readAnd(parser))
  return nodes.length === 1 ? nodes[0] : { or: nodes }
}

function readAnd(parser) {
  const nodes = [readNot(parser)]
  while (take(parser, 'AND')) nodes.push(readNot(parser))
  return nodes.length === 1 ? nodes[0] : { and: nodes }
}

function readNot(parser) {
  if (take(parser, 'NOT')) return { not: readNot(parser) }
  if (take(parser, '(')) {
    const inner = readOr(parser)
    demand(parser, ')')
    return inner
  }
  return readTest(parser)
}

const OPERATORS = {
  '=': 'equals',
  '<>': 'differs',
  '!=': 'differs',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
}

function readTest(parser) {
  const subject = readSubject(parser)
  const sign = Object.keys(OPERATORS).find((each) => take(parser, each))
  if (sign) return compare(subject, OPERATORS[sign], readValue(parser))
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
    const list = { ...subject.leaf, operator: 'inList', value: readList(parser) }
    return isNegated ? { not: list } : list
  }
  return { ...subject.leaf, operator: 'equals', value: true }
}

function compare({ leaf, isTime }, operator, value) {
  const written = isTime && typeof value === 'string' ? moment(value) : value
  if (operator === 'differs') return { not: { ...leaf, operator: 'equals', value: written } }
  return { ...leaf, operator, value: written }
}

/** A date is a moment in SQL, where it is a whole day in our filters. */
function moment(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text.replace(' ', 'T')
}

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
  if (template) return parser.names.member(template.text)
  return parser.names.bare(demand(parser, 'name').text)
}

function readValue(parser) {
  if (take(parser, 'CAST')) {
    demand(parser, '(')
    const inner = readValue(parser)
    demand(parser, 'AS')
    demand(parser, 'name')
    demand(parser, ')')
    return inner
  }
  return demand(parser, 'value').value
}

function readList(parser) {
  demand(parser, '(')
  const values = [readValue(parser)]
  while (take(parser, ',')) values.push(readValue(parser))
  demand(parser, ')')
  return values
}

const OPPOSITES = {
  equals: 'notEquals',
  gt: 'lte',
  lte: 'gt',
  lt: 'gte',
  gte: 'lt',
  inList: 'notInList',
  set: 'notSet',
  notSet: 'set',
}

/** NOT of what is unknown stays unknown in SQL, while our negations keep rows without a value. */
function negationsDown(node, isNegated) {
  if ('not' in node) return negationsDown(node.not, !isNegated)
  for (const [kind, other] of [
    ['and', 'or'],
    ['or', 'and'],
  ]) {
    if (kind in node) {
      return {
        [isNegated ? other : kind]: node[kind].map((each) => negationsDown(each, isNegated)),
      }
    }
  }
  if (!isNegated) return node
  const opposite = { ...node, operator: OPPOSITES[node.operator] }
  if (node.operator === 'set' || node.operator === 'notSet') return opposite
  return { and: [opposite, { ...node, operator: 'set', value: undefined }] }
}
