import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import { SELECT_FUNCTIONS, SELECT_NODES } from './allowed-sql.js'
import { lineageAndHow, lineageOf, lineageOfTable } from './column-lineage.js'
import type { RelationName } from './model.js'
import { outputColumns } from './output-names.js'
import type { Lineage, Relation, SourceTable, TableName } from './project.js'
import {
  checkAllowed,
  eachObject,
  field,
  isObject,
  listOf,
  mapNodes,
  parseSelect,
  printSelect,
  SqlProblem,
  textOf,
  type Tree,
  type TreeObject,
} from './sql-tree.js'
import { namedAsTable, quotedTable, uniqueTables } from './table-names.js'
import { renderTemplate, type TemplateCall } from './template.js'

/** What a SELECT of a model or cube may read. */
export interface Readable {
  /** A declared table by source and table name, or by schema and table name. */
  table(qualifier: string, name: string): SourceTable | undefined
  /** Every `source.table`, for near names. */
  readonly tableNames: readonly string[]
  /** A model's relation. @throws SqlProblem when there is none of that name */
  model(name: string, offset: number): Relation
}

/** What the calls of a template mean besides `source` and `ref`. */
export interface TemplateContext {
  /** `undefined` where nothing can be incremental. */
  readonly isIncremental: boolean | undefined
  /** A relation, or a text that is put in; `undefined` for a call that is not known here. */
  other(call: TemplateCall): NamedRelation | string | undefined
}

/** A relation with the name that it has where it is read without an alias. */
export interface NamedRelation {
  readonly name: string
  readonly of: RelationName
  readonly relation: Relation
}

/** A SELECT that was checked and printed again. */
export interface CheckedSelect {
  /** As a statement. */
  readonly select: string
  /** As a sub-query. */
  readonly relation: Relation
  /** What it names, each once. */
  readonly reads: readonly RelationName[]
  /** One step: from what it names, and how. @see namedAsTable */
  readonly oneStep: Lineage
}

const NO_TEMPLATE: TemplateContext = { isIncremental: undefined, other: () => undefined }

const MARK = 'olxq'

/**
 * Parses a SELECT over declared sources and models: `{{ source('raw', 'orders') }}`, `{{ ref('stg_orders') }}`, or the
 * name of a declared table. Models are put in as sub-queries.
 * @throws SqlProblem
 */
export function parseRelation(
  template: string,
  readable: Readable,
  context: TemplateContext = NO_TEMPLATE,
): Relation {
  return checkSelect(template, readable, context).relation
}

/** The same, also as a statement. @throws SqlProblem */
export function checkSelect(
  template: string,
  readable: Readable,
  context: TemplateContext = NO_TEMPLATE,
): CheckedSelect {
  if (template.toLowerCase().includes(MARK)) throw new SqlProblem(`must not contain ${MARK}`, 0)
  const pieces: NamedRelation[] = []
  const { text, offsetOf } = renderTemplate(template.replace(/;\s*$/, ''), {
    isIncremental: context.isIncremental,
    call: (call) => {
      const piece = called(call, readable, context)
      return typeof piece === 'string' ? piece : `${MARK}${String(pieces.push(piece) - 1)}`
    },
  })
  // A value that a template put in can hold a mark as well.
  if (text.split(MARK).length - 1 !== pieces.length) {
    throw new SqlProblem(`must not contain ${MARK}`, 0)
  }
  try {
    return checkRendered(text, readable, pieces)
  } catch (error) {
    if (!(error instanceof SqlProblem)) throw error
    throw new SqlProblem(error.message, offsetOf(error.offset), error.suggestion)
  }
}

function checkRendered(text: string, readable: Readable, pieces: NamedRelation[]): CheckedSelect {
  const select = parseSelect(text)
  checkAllowed(select, SELECT_NODES, SELECT_FUNCTIONS)
  checkClauses(select)
  const resolved = resolveTables(select, readable, pieces)
  const printed = printSelect(resolved.tree).replace(
    /\bolxq(\d+)\b/g,
    (_, digits: string) => pieces[Number(digits)]?.relation.text ?? '',
  )
  return {
    select: printed,
    relation: {
      text: `(${printed})`,
      tables: uniqueTables(resolved.used.flatMap(({ relation }) => relation.tables)),
      isOpaque: false,
      lineage: lineageOf(resolved.tree, (name) => marked(name, pieces)?.relation.lineage),
      builds: [...new Set(resolved.used.flatMap(({ relation }) => relation.builds))],
      columns: outputColumns(select),
    },
    reads: distinct(resolved.used.map(({ of }) => of)),
    oneStep: lineageAndHow(resolved.tree, (name) => {
      const piece = marked(name, pieces)
      return piece && oneStepOf(namedAsTable(piece.of), piece.relation)
    }),
  }
}

/** Of a relation that is read by its name: its columns are columns of that name, and no others where all are known. */
export function oneStepOf(table: TableName, { lineage, columns }: Relation): Lineage {
  const names = new Set(lineage.columns.map(({ name }) => name))
  const listed = lineageOfTable(table, [...names])
  return { ...listed, stars: columns ? [] : [table] }
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
): { tree: TreeObject; used: NamedRelation[] } {
  const used: NamedRelation[] = []
  const resolve = (tree: Tree, defined: ReadonlySet<string>): Tree =>
    mapNodes(tree, (kind, content) => {
      if (kind !== 'RangeVar' || isDefined(content, defined)) return undefined
      const found = relationOf(content, readable, pieces)
      used.push(found)
      pieces.push(found)
      const alias = content['alias'] ?? { aliasname: found.name }
      const { schemaname: _, ...unqualified } = content
      return { RangeVar: { ...unqualified, relname: mark(pieces.length - 1), alias } }
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

function mark(index: number): string {
  return `${MARK}${String(index)}`
}

/** What a mark stands for. */
function marked(name: string, pieces: readonly NamedRelation[]): NamedRelation | undefined {
  const digits = /^olxq(\d+)$/.exec(name)
  return digits ? pieces[Number(digits[1])] : undefined
}

function called(
  call: TemplateCall,
  readable: Readable,
  context: TemplateContext,
): NamedRelation | string {
  const { name, values = [], named, offset } = call
  const kinds = named.size > 0 ? [] : [name, ...values.map((value) => typeof value)]
  const [first = '', second = ''] = values.map(String)
  if (kinds.join() === 'source,string,string') return namedTable(first, second, readable, offset)
  if (kinds.join() === 'ref,string') {
    return { name: first, of: { model: first }, relation: readable.model(first, offset) }
  }
  const other = context.other(call)
  if (other !== undefined) return other
  throw new SqlProblem(
    `{{ ${name} }} cannot be used like this here; expected {{ source('…', '…') }} or {{ ref('…') }}`,
    offset,
  )
}

function namedTable(
  qualifier: string,
  name: string,
  readable: Readable,
  at: number,
): NamedRelation {
  const relation = tableRelation(qualifier, name, readable, at)
  const [table = { schema: qualifier, table: name }] = relation.tables
  return { name, of: { table }, relation }
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
      text: quotedTable({ schema, table: table.table }),
      tables: [{ schema, table: table.table }],
      isOpaque: false,
      lineage: lineageOfTable({ schema, table: table.table }, columns),
      builds: [],
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
  const known = marked(name, pieces)
  if (known) return known
  return namedTable(textOf(content, 'schemaname'), name, readable, at)
}

function isDefined(content: TreeObject, defined: ReadonlySet<string>): boolean {
  return content['schemaname'] === undefined && defined.has(textOf(content, 'relname'))
}

function distinct<T>(things: readonly T[]): T[] {
  return [...new Map(things.map((thing) => [JSON.stringify(thing), thing])).values()]
}
