import { quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import { EXPRESSION_NODES, QUIET_OPERATORS, ROW_FUNCTIONS } from './allowed-sql.js'
import type { ColumnPart, Expression } from './project.js'
import { replaceInCode } from './sql-text.js'
import {
  checkAllowed,
  columnRef,
  mapNodes,
  names,
  parseExpression,
  printExpression,
  SqlProblem,
  textOf,
  type Tree,
  type TreeObject,
} from './sql-tree.js'
import { isWholeRowFunction } from './whole-row.js'

/** What an expression of a cube may refer to. */
export interface ExpressionContext {
  readonly cube: string
  /** Columns of the cube's relation, if they are known. */
  readonly columns: readonly string[] | undefined
  /** Other dimensions of the cube, as `{name}`: their expression takes the reference's place. */
  readonly member?: ((name: string, offset: number) => Expression) | undefined
  /** The join whose other side may be named, as `{name}.column`. */
  readonly join?: { readonly name: string; readonly columns: readonly string[] | undefined }
}

/** Stands for references in SQL while it is parsed and printed; no definition may use it itself. */
const MARK = 'olxq'
const OWN = `${MARK}_o`
const OTHER = `${MARK}_t`

type Piece = Expression | ColumnPart

/**
 * Parses the SQL of a dimension, measure, segment, filter or join: one expression over one row, without sub-queries,
 * with functions, types and operators of `allowed-sql.ts`. `{CUBE}.column` and a bare column are the cube's own.
 * A division by zero becomes null.
 * @throws SqlProblem
 */
export function parseCubeExpression(text: string, context: ExpressionContext): Expression {
  if (text.toLowerCase().includes(MARK)) throw new SqlProblem(`must not contain ${MARK}`, 0)
  const pieces: Piece[] = []
  const tree = parseExpression(replaceReferences(text, context, pieces))
  checkAllowed(tree, EXPRESSION_NODES, ROW_FUNCTIONS)
  const marked = mapNodes(tree, (kind, content) => {
    if (kind !== 'ColumnRef') return undefined
    const parts = names(content['fields'])
    if (isMemberMark(parts)) return undefined
    pieces.push(toColumn(parts, context, Number(content['location'] ?? 0)))
    return columnRef(`${MARK}${String(pieces.length - 1)}`)
  })
  const printed = printExpression(guardDivisions(marked))
  const isQuiet = pieces.every((piece) => !('canRaise' in piece) || !piece.canRaise)
  return { parts: assemble(printed, pieces), canRaise: !isQuiet || canRaise(tree) }
}

function isMemberMark(parts: readonly string[]): boolean {
  return parts.length === 1 && /^olxq\d+$/.test(parts[0] ?? '')
}

/**
 * `{CUBE}` and `{join}` become names that the grammar knows, `{member}` becomes its expression's mark; of the same
 * length where they can, so that positions stay.
 */
function replaceReferences(text: string, context: ExpressionContext, pieces: Piece[]): string {
  return replaceInCode(text, /\{\s*([^{}]*?)\s*\}(\s*\.)?/g, ([whole = '', name = '', dot], at) => {
    if (name === 'CUBE' || name === context.cube) {
      if (dot) return `${OWN}.`.padStart(whole.length)
      throw new SqlProblem(`write {${name}}.column`, at)
    }
    if (dot) return `${otherSide(name, context, at)}.`.padStart(whole.length)
    if (!context.member) throw new SqlProblem(`${whole} cannot be used here`, at)
    pieces.push(context.member(name, at))
    return `${MARK}${String(pieces.length - 1)}`.padEnd(whole.length)
  })
}

function otherSide(name: string, { join, cube }: ExpressionContext, at: number): string {
  if (join?.name === name) return OTHER
  const expected = join ? `{CUBE} or {${join.name}}` : '{CUBE}'
  const known = ['CUBE', cube, ...(join ? [join.name] : [])]
  throw new SqlProblem(`unknown cube {${name}}; expected ${expected}`, at, suggest(name, known))
}

function toColumn(parts: readonly string[], context: ExpressionContext, at: number): ColumnPart {
  const [qualifier, column] = parts.length === 1 ? [OWN, parts[0]] : parts
  if (parts.length > 2 || column === undefined || column === '*') {
    throw new SqlProblem('expected a column of the cube', at)
  }
  if (qualifier === OWN) return knownColumn(column, context.columns, 'own', at)
  if (qualifier === OTHER) return knownColumn(column, context.join?.columns, 'other', at)
  throw new SqlProblem(`unknown table ${quote(qualifier)}`, at, `{CUBE}.${column}`)
}

function knownColumn(
  column: string,
  known: readonly string[] | undefined,
  of: ColumnPart['of'],
  at: number,
): ColumnPart {
  if (!known && isWholeRowFunction(column)) {
    const message = `${column} may be a function of the whole row; declare the columns of the table`
    throw new SqlProblem(message, at)
  }
  if (!known || known.includes(column)) return { column, of }
  throw new SqlProblem(`unknown column ${quote(column)}`, at, suggest(column, known))
}

/** `a / b` and `a % b` become null where b is 0. */
export function guardDivisions(tree: Tree): Tree {
  return mapNodes(tree, (kind, content) => {
    const operator = names(content['name']).at(-1)
    if (kind !== 'A_Expr' || content['kind'] !== 'AEXPR_OP') return undefined
    const right = content['rexpr']
    if ((operator !== '/' && operator !== '%') || right === undefined) return undefined
    const guarded = nullIfZero(guardDivisions(right))
    return {
      A_Expr: { ...content, lexpr: guardDivisions(content['lexpr'] ?? null), rexpr: guarded },
    }
  })
}

function nullIfZero(tree: Tree): Tree {
  return {
    A_Expr: {
      kind: 'AEXPR_NULLIF',
      name: [{ String: { sval: '=' } }],
      lexpr: tree,
      rexpr: { A_Const: { ival: {} } },
    },
  }
}

/** Puts the pieces into the printed text in place of their marks. Members keep their own parentheses. */
function assemble(printed: string, pieces: readonly Piece[]): Expression['parts'] {
  return printed.split(/olxq(\d+)/).flatMap((text, index): Expression['parts'] => {
    if (index % 2 === 0) return text === '' ? [] : [text]
    const piece = pieces[Number(text)]
    if (piece === undefined) throw new Error(`no piece ${text} in ${printed}`)
    return 'parts' in piece ? ['(', ...piece.parts, ')'] : [piece]
  })
}

/** Whether more than comparisons of columns with constants is in it. */
function canRaise(tree: Tree): boolean {
  let raises = false
  mapNodes(tree, (kind, content) => {
    if (kind === 'FuncCall' || kind === 'TypeCast' || kind === 'SQLValueFunction') raises = true
    if (kind === 'A_Expr' && !isQuiet(content)) raises = true
    return undefined
  })
  return raises
}

function isQuiet(content: TreeObject): boolean {
  const kind = textOf(content, 'kind')
  if (/BETWEEN|DISTINCT|NULLIF/.test(kind)) return true
  const operator = names(content['name']).at(-1) ?? ''
  return (kind === 'AEXPR_OP' || kind === 'AEXPR_IN') && QUIET_OPERATORS.has(operator)
}
