import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import { SELECT_FUNCTIONS, SELECT_NODES } from './allowed-sql.js'
import type { Relation, SourceTable, TableName } from './project.js'
import {
  checkAllowed,
  eachObject,
  field,
  isObject,
  listOf,
  mapNodes,
  names,
  parseSelect,
  printSelect,
  SqlProblem,
  textOf,
  type Tree,
  type TreeObject,
} from './sql-tree.js'

/** What a SELECT of a model or cube may read. */
export interface Readable {
  /** A declared table by source and table name, or by schema and table name. */
  table(qualifier: string, name: string): SourceTable | undefined
  /** Every `source.table`, for near names. */
  readonly tableNames: readonly string[]
  /** A model's relation. */
  model(name: string, offset: number): Relation
}

const MARK = 'olxq'

/**
 * Parses a SELECT over declared sources and models: `{{ source('raw', 'orders') }}`, `{{ ref('stg_orders') }}`, or the
 * name of a declared table. Models are put in as sub-queries.
 * @throws SqlProblem
 */
export function parseRelation(text: string, readable: Readable): Relation {
  if (text.toLowerCase().includes(MARK)) throw new SqlProblem(`must not contain ${MARK}`, 0)
  const pieces: NamedRelation[] = []
  const select = parseSelect(replaceCalls(text.replace(/;\s*$/, ''), readable, pieces))
  checkAllowed(select, SELECT_NODES, SELECT_FUNCTIONS)
  checkClauses(select)
  const resolved = resolveTables(select, readable, pieces)
  const printed = printSelect(resolved.tree).replace(
    /\bolxq(\d+)\b/g,
    (_, digits: string) => pieces[Number(digits)]?.relation.text ?? '',
  )
  return {
    text: `(${printed})`,
    tables: uniqueTables(resolved.used.flatMap(({ tables }) => tables)),
    columns: outputColumns(select),
  }
}

/** A relation with the name that it has where it is read without an alias. */
interface NamedRelation {
  readonly name: string
  readonly relation: Relation
}

/** INTO writes and FOR UPDATE locks; a WITH below the top could hide a table of the server under its name. */
function checkClauses(select: TreeObject): void {
  const top = select['SelectStmt']
  eachObject(select, (part) => {
    if ('intoClause' in part || 'lockingClause' in part) {
      throw new SqlProblem('a SELECT may neither write nor lock', 0)
    }
    if ('withClause' in part && part !== top) {
      throw new SqlProblem('WITH is allowed at the beginning only', 0)
    }
  })
  if (field(field(top, 'withClause'), 'recursive') === true) {
    throw new SqlProblem('WITH RECURSIVE is not supported', 0)
  }
}

/** Puts a mark in the place of each table. A query of WITH knows only those that stand before it. */
function resolveTables(
  select: TreeObject,
  readable: Readable,
  pieces: NamedRelation[],
): { tree: TreeObject; used: Relation[] } {
  const used: Relation[] = []
  const resolve = (tree: Tree, defined: ReadonlySet<string>): Tree =>
    mapNodes(tree, (kind, content) => {
      if (kind !== 'RangeVar' || isDefined(content, defined)) return undefined
      const found = relationOf(content, readable, pieces)
      used.push(found.relation)
      pieces.push(found)
      const alias = content['alias'] ?? { aliasname: found.name }
      const { schemaname: _, ...unqualified } = content
      return { RangeVar: { ...unqualified, ...marked(pieces.length - 1), alias } }
    })
  const { withClause, ...body } = isObject(select['SelectStmt']) ? select['SelectStmt'] : {}
  const defined = new Set<string>()
  const queries = listOf(field(withClause, 'ctes')).map((query) => {
    const resolved = resolve(query, new Set(defined))
    defined.add(textOf(field(query, 'CommonTableExpr'), 'ctename'))
    return resolved
  })
  const rest = resolve(body, defined)
  const clause = isObject(withClause) ? { withClause: { ...withClause, ctes: queries } } : {}
  return { tree: { SelectStmt: { ...(isObject(rest) ? rest : {}), ...clause } }, used }
}

function marked(index: number): TreeObject {
  return { relname: `${MARK}${String(index)}` }
}

function replaceCalls(text: string, readable: Readable, pieces: NamedRelation[]): string {
  return replaceTemplates(text, (call, at) => {
    pieces.push(called(call, readable, at))
    return `${MARK}${String(pieces.length - 1)}`
  })
}

/** Calls `replace` with the content of each `{{ … }}`; `{% … %}` is refused. */
export function replaceTemplates(
  text: string,
  replace: (call: string, offset: number) => string,
): string {
  // The arguments of a call are in quotes, so templates are found in the whole text.
  const statement = /\{%-?\s*(\w+)/.exec(text)
  if (statement) {
    throw new SqlProblem(
      `{% ${statement[1] ?? ''} %} is not supported; only {{ source(…) }} and {{ ref(…) }}`,
      statement.index,
    )
  }
  return text.replace(
    /\{\{-?\s*([\s\S]*?)\s*-?\}\}|\{#[\s\S]*?#\}/g,
    (whole, call: string | undefined, at: number) =>
      (call === undefined ? '' : replace(call, at)).padEnd(whole.length),
  )
}

function called(call: string, readable: Readable, at: number): NamedRelation {
  const source = /^source\(\s*(['"])([^'"]*)\1\s*,\s*(['"])([^'"]*)\3\s*\)$/.exec(call)
  if (source) {
    const [, , qualifier = '', , name = ''] = source
    return { name, relation: tableRelation(qualifier, name, readable, at) }
  }
  const ref = /^ref\(\s*(['"])([^'"]*)\1\s*\)$/.exec(call)
  if (ref) return { name: ref[2] ?? '', relation: readable.model(ref[2] ?? '', at) }
  throw new SqlProblem(
    `{{ ${call} }} is not supported; expected {{ source('…', '…') }} or {{ ref('…') }}`,
    at,
  )
}

/**
 * A declared table as a relation.
 * @throws SqlProblem when it is not declared
 */
export function tableRelation(
  qualifier: string,
  name: string,
  readable: Readable,
  at: number,
): Relation {
  const table = readable.table(qualifier, name)
  if (table) {
    const { schema, columns } = table
    return {
      text: `${quoted(schema)}.${quoted(table.table)}`,
      tables: [{ schema, table: table.table }],
      columns,
    }
  }
  const asked = qualifier ? `${qualifier}.${name}` : name
  throw new SqlProblem(
    `${quote(asked)} is no declared table; declare it under sources/`,
    at,
    suggest(asked, readable.tableNames),
  )
}

function relationOf(
  content: TreeObject,
  readable: Readable,
  pieces: readonly NamedRelation[],
): NamedRelation {
  const at = Number(content['location'] ?? 0)
  const name = textOf(content, 'relname')
  if (content['catalogname'] !== undefined) throw new SqlProblem('name no database here', at)
  const mark = /^olxq(\d+)$/.exec(name)
  const known = mark ? pieces[Number(mark[1])] : undefined
  if (known) return known
  return {
    name,
    relation: tableRelation(textOf(content, 'schemaname'), name, readable, at),
  }
}

function isDefined(content: TreeObject, defined: ReadonlySet<string>): boolean {
  return content['schemaname'] === undefined && defined.has(textOf(content, 'relname'))
}

/** The names of a SELECT's result, unless a star hides them. */
function outputColumns(select: TreeObject): readonly string[] | undefined {
  let body = select['SelectStmt']
  for (let left = field(body, 'larg'); isObject(left); left = field(body, 'larg')) body = left
  const targets = listOf(field(body, 'targetList'))
  const columns = targets.map((target) => {
    const content = field(target, 'ResTarget')
    const name = field(content, 'name')
    if (typeof name === 'string') return name
    const value = field(content, 'val')
    return names(field(field(value, 'ColumnRef'), 'fields')).at(-1) ?? functionName(value)
  })
  return columns.length > 0 && columns.every((name) => name !== undefined && name !== '*')
    ? columns.filter((name) => name !== undefined)
    : undefined
}

function functionName(value: Tree | undefined): string | undefined {
  return names(field(field(value, 'FuncCall'), 'funcname')).at(-1)
}

export function uniqueTables(tables: readonly TableName[]): TableName[] {
  return [
    ...new Map(
      tables.map((table) => [JSON.stringify([table.schema, table.table]), table]),
    ).values(),
  ]
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
