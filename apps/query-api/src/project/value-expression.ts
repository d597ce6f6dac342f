import { EXPRESSION_NODES, VALUE_FUNCTIONS } from './allowed-sql.js'
import { guardDivisions } from './expression.js'
import type { MeasureRef, MetricRef, ValueExpression } from './project.js'
import { replaceInCode } from './sql-text.js'
import {
  checkAllowed,
  columnRef,
  mapNodes,
  names,
  parseExpression,
  printExpression,
  SqlProblem,
  type Tree,
} from './sql-tree.js'

const MARK = 'olxq'

type Ref = MeasureRef | MetricRef

/**
 * Parses arithmetic over metrics and measures: `revenue - costs`, `orders.profit / orders.revenue`. Divisions are
 * exact, also of whole numbers, and null where the divisor is 0.
 * @param resolve what a name of one or two parts stands for
 * @throws SqlProblem
 */
export function parseValueExpression(
  text: string,
  resolve: (parts: readonly string[], offset: number) => Ref,
): ValueExpression {
  if (text.toLowerCase().includes(MARK)) throw new SqlProblem(`must not contain ${MARK}`, 0)
  const refs: Ref[] = []
  const plain = replaceInCode(text, /\{\s*([\w.]+)\s*\}/g, ([whole = '', name = '']) =>
    `"${name.replaceAll('.', '"."')}"`.padEnd(whole.length),
  )
  const tree = parseExpression(plain)
  checkAllowed(tree, EXPRESSION_NODES, VALUE_FUNCTIONS)
  const marked = mapNodes(tree, (kind, content) => {
    if (kind !== 'ColumnRef') return undefined
    refs.push(resolve(names(content['fields']), Number(content['location'] ?? 0)))
    return columnRef(`${MARK}${String(refs.length - 1)}`)
  })
  const printed = printExpression(exactDivisions(guardDivisions(marked)))
  return { parts: assemble(printed, refs) }
}

/** One value over another, null where the other is 0. */
export function ratioOf(numerator: ValueExpression, denominator: ValueExpression): ValueExpression {
  return {
    parts: ['(', ...numerator.parts, ') * 1.0 / nullif(', ...denominator.parts, ', 0)'],
  }
}

/** With another value in place of null. */
export function filled({ parts }: ValueExpression, value: number | undefined): ValueExpression {
  return value === undefined ? { parts } : { parts: ['coalesce(', ...parts, `, ${String(value)})`] }
}

/** `a / b` of whole numbers would cut the fraction: `a * 1.0 / b` does not. */
function exactDivisions(tree: Tree): Tree {
  return mapNodes(tree, (kind, content) => {
    const isDivision = kind === 'A_Expr' && names(content['name']).at(-1) === '/'
    if (!isDivision || content['kind'] !== 'AEXPR_OP') return undefined
    const left = exactDivisions(content['lexpr'] ?? null)
    const right = exactDivisions(content['rexpr'] ?? null)
    return { A_Expr: { ...content, lexpr: timesOne(left), rexpr: right } }
  })
}

function timesOne(tree: Tree): Tree {
  return {
    A_Expr: {
      kind: 'AEXPR_OP',
      name: [{ String: { sval: '*' } }],
      lexpr: tree,
      rexpr: { A_Const: { fval: { fval: '1.0' } } },
    },
  }
}

function assemble(printed: string, refs: readonly Ref[]): ValueExpression['parts'] {
  return printed.split(/olxq(\d+)/).flatMap((text, index): ValueExpression['parts'] => {
    if (index % 2 === 0) return text === '' ? [] : [text]
    const ref = refs[Number(text)]
    if (ref === undefined) throw new Error(`no reference ${text} in ${printed}`)
    return [ref]
  })
}
