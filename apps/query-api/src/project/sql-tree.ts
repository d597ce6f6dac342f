import { quote } from '@olytix/config/yaml'
import deparser from 'pgsql-deparser'
import { parseSync, type ParseResult } from 'libpg-query'
import { suggest } from '@olytix/errors'
import { OPERATORS_OF_SQL, TYPES, VALUE_KEYWORDS } from './allowed-sql.js'

/** PostgreSQL's own parse tree: objects with one key, the kind of node, around its content. */
export type Tree = string | number | boolean | null | readonly Tree[] | TreeObject

export interface TreeObject {
  readonly [key: string]: Tree
}

/** Something wrong with SQL; `offset` counts characters of the text as it was written. */
export class SqlProblem extends Error {
  constructor(
    message: string,
    readonly offset: number,
    readonly suggestion?: string,
  ) {
    super(message)
  }
}

/**
 * Parses one SELECT with PostgreSQL's own grammar.
 * @throws SqlProblem when it is not SQL, or not exactly one SELECT
 */
export function parseSelect(text: string): TreeObject {
  const [first, second] = listOf(toTree(parse(text))['stmts'])
  const select = field(field(first, 'stmt'), 'SelectStmt')
  if (second !== undefined) throw new SqlProblem('expected one statement', 0)
  if (!isObject(select)) throw new SqlProblem('expected a SELECT', 0)
  return { SelectStmt: select }
}

/**
 * Parses one expression. The whole text must be one: `(a) from secrets --` is not.
 * @throws SqlProblem
 */
export function parseExpression(text: string): Tree {
  const prefix = 'select (\n'
  try {
    const { SelectStmt: select } = parseSelect(`${prefix}${text}\n)`)
    const [target, ...others] = listOf(field(select, 'targetList'))
    const value = field(field(target, 'ResTarget'), 'val')
    const extra = Object.keys(isObject(select) ? select : {}).filter((key) => !PLAIN.has(key))
    const isNamed = field(field(target, 'ResTarget'), 'name') !== undefined
    if (value === undefined || isNamed || others.length > 0 || extra.length > 0) {
      throw new SqlProblem('expected one expression', prefix.length)
    }
    return shifted(value, prefix.length)
  } catch (error) {
    if (!(error instanceof SqlProblem)) throw error
    throw new SqlProblem(error.message, Math.max(0, error.offset - prefix.length), error.suggestion)
  }
}

/** Makes positions count from the beginning of the expression. */
function shifted(tree: Tree, by: number): Tree {
  if (isList(tree)) return tree.map((item) => shifted(item, by))
  if (!isObject(tree)) return tree
  return Object.fromEntries(
    Object.entries(tree).map(([key, child]) =>
      key === 'location' && typeof child === 'number'
        ? [key, Math.max(0, child - by)]
        : [key, shifted(child, by)],
    ),
  )
}

const PLAIN = new Set(['targetList', 'limitOption', 'op'])

function parse(text: string): ParseResult {
  try {
    return parseSync(text)
  } catch (error) {
    const details: unknown =
      typeof error === 'object' && error !== null && 'sqlDetails' in error ? error.sqlDetails : null
    const position = isRecord(details) ? Number(details['cursorPosition'] ?? 0) : 0
    const message = error instanceof Object && 'message' in error ? String(error.message) : ''
    throw new SqlProblem(`not valid SQL: ${message}`, position)
  }
}

/**
 * Prints a tree, and checks that the text means the tree: parsing it gives the same tree again.
 * @throws SqlProblem when the printer does not know something in it
 */
export function printSelect(select: TreeObject): string {
  const text = print(select)
  const same = canonical(parseSelect(text)) === canonical(select)
  if (!same) throw new SqlProblem('uses SQL that cannot be reproduced exactly; write it simpler', 0)
  return text
}

/** Like `printSelect`, for an expression. */
export function printExpression(value: Tree): string {
  const text = print(value)
  const same = canonical(parseExpression(text)) === canonical(value)
  if (!same) throw new SqlProblem('uses SQL that cannot be reproduced exactly; write it simpler', 0)
  return text
}

function print(tree: Tree): string {
  if (!isNode(tree)) throw new SqlProblem('expected one expression', 0)
  try {
    return deparser.deparseSync(tree, { pretty: false })
  } catch {
    throw new SqlProblem('uses SQL that cannot be reproduced; write it simpler', 0)
  }
}

type PrintableNode = Exclude<Parameters<typeof deparser.deparseSync>[0], readonly unknown[]>

function isNode(tree: Tree): tree is Tree & PrintableNode {
  return isObject(tree) && Object.keys(tree).length === 1
}

/** The same text for the same tree: without positions, and without what only says how it was written. */
function canonical(tree: Tree): string {
  return JSON.stringify(tree, (key, value: Tree) => {
    if (NOTATION.test(key)) return undefined
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

const NOTATION =
  /^(location|rexpr_list_start|rexpr_list_end|list_start|list_end|funcformat|stmt_len)$/

/** Calls `visit` with each node, parents first; a tree that it returns takes the node's place and is not visited. */
export function mapNodes(
  tree: Tree,
  visit: (kind: string, content: TreeObject) => Tree | undefined,
): Tree {
  if (isList(tree)) return tree.map((item) => mapNodes(item, visit))
  if (!isObject(tree)) return tree
  const kind = kindOf(tree)
  const content = kind === undefined ? undefined : tree[kind]
  if (kind !== undefined && isObject(content)) {
    const replacement = visit(kind, content)
    if (replacement !== undefined) return replacement
  }
  return Object.fromEntries(
    Object.entries(tree).map(([key, child]) => [key, mapNodes(child, visit)]),
  )
}

/** Some contents are nested without a kind (`typeName`, `over`, `withClause`): they are checked by their parents. */
function kindOf(tree: TreeObject): string | undefined {
  const [key, ...others] = Object.keys(tree)
  return others.length === 0 && key !== undefined && /^[A-Z]/.test(key) ? key : undefined
}

/**
 * Requires that a tree consists of these kinds of nodes and functions, and of allowed types and operators.
 * @throws SqlProblem for the first that is not
 */
export function checkAllowed(
  tree: Tree,
  nodes: ReadonlySet<string>,
  functions: ReadonlySet<string>,
): void {
  mapNodes(tree, (kind, content) => {
    const at = Number(content['location'] ?? 0)
    if (!nodes.has(kind)) throw new SqlProblem(`${describeKind(kind)} is not allowed here`, at)
    checkNode(kind, content, functions)
    return undefined
  })
}

function checkNode(kind: string, content: TreeObject, functions: ReadonlySet<string>): void {
  const at = Number(content['location'] ?? 0)
  if (kind === 'FuncCall') checkName(names(content['funcname']), functions, 'function', at)
  if (kind === 'TypeCast') checkName(names(field(content['typeName'], 'names')), TYPES, 'type', at)
  if (kind === 'A_Expr' && isPlainOperator(content)) {
    checkName(names(content['name']), OPERATORS_OF_SQL, 'operator', at)
  }
  if (kind === 'SQLValueFunction' && !VALUE_KEYWORDS.has(textOf(content, 'op'))) {
    throw new SqlProblem(`${describeKind(kind)} of this kind is not allowed here`, at)
  }
  if (kind === 'ColumnRef' && names(content['fields']).includes('ctid')) {
    throw new SqlProblem('system columns are not allowed here', at)
  }
}

function isPlainOperator(content: TreeObject): boolean {
  return !['AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN', 'AEXPR_BETWEEN_SYM'].includes(
    textOf(content, 'kind'),
  )
}

function checkName(
  name: readonly string[],
  allowed: ReadonlySet<string>,
  what: string,
  at: number,
): void {
  const own = name.at(-1) ?? ''
  const schema = name.slice(0, -1)
  if (allowed.has(own) && (schema.length === 0 || schema.join('.') === 'pg_catalog')) return
  throw new SqlProblem(
    `${what} ${quote(name.join('.'))} is not allowed here`,
    at,
    suggest(own, allowed),
  )
}

const KINDS: Readonly<Record<string, string>> = {
  SubLink: 'a sub-query',
  ParamRef: 'a parameter',
  A_Star: '*',
  RowExpr: 'a list of values',
  RangeFunction: 'a function in FROM',
  A_Indirection: 'a subscript or field',
  RangeTableSample: 'TABLESAMPLE',
}

function describeKind(kind: string): string {
  return KINDS[kind] ?? kind.replace(/^A_/, '').toLowerCase()
}

/** The texts of a list of String nodes: the parts of a name. `*` for a star. */
export function names(list: Tree | undefined): string[] {
  return listOf(list).map((item) => {
    const name = field(field(item, 'String'), 'sval')
    return typeof name === 'string' ? name : '*'
  })
}

/** Calls `visit` with every object, whether it is a node or only a part of one. */
export function eachObject(tree: Tree, visit: (object: TreeObject) => void): void {
  if (isObject(tree)) visit(tree)
  if (typeof tree === 'object' && tree !== null) {
    for (const child of Object.values(tree)) eachObject(child, visit)
  }
}

/** A reference to a column by its parts. */
export function columnRef(...parts: readonly string[]): Tree {
  return { ColumnRef: { fields: parts.map((part) => ({ String: { sval: part } })) } }
}

export function field(tree: Tree | undefined, key: string): Tree | undefined {
  return isObject(tree) ? tree[key] : undefined
}

/** A text that a node holds; empty when there is none. */
export function textOf(tree: Tree | undefined, key: string): string {
  const value = field(tree, key)
  return typeof value === 'string' ? value : ''
}

export function listOf(tree: Tree | undefined): readonly Tree[] {
  return isList(tree) ? tree : []
}

function isList(tree: Tree | undefined): tree is readonly Tree[] {
  return Array.isArray(tree)
}

export function isObject(tree: Tree | undefined): tree is TreeObject {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function toTree(result: ParseResult): TreeObject {
  // The parser's result is JSON; its declared type has no index signature.
  return result as unknown as TreeObject
}
