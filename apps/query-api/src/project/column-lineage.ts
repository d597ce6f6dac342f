import { computed, isAggregate, readAs, uniqueColumns as unique, withoutHow } from './how-read.js'
import { isOfOutput, nameOf } from './output-names.js'
import type { Lineage, OutputColumn, ReadColumn, TableName } from './project.js'
import {
  field,
  isObject,
  listOf,
  names,
  SqlProblem,
  textOf,
  type Tree,
  type TreeObject,
} from './sql-tree.js'
import { uniqueTables } from './table-names.js'
import { isWholeRowFunction } from './whole-row.js'

/** Something in FROM, under the name that columns are qualified with. */
interface FromItem {
  readonly name: string
  readonly lineage: Lineage
}

/** What names may stand for at one place of a SELECT. */
interface Scope {
  readonly queries: ReadonlyMap<string, Lineage>
  /** Those of the SELECT itself, then those of the SELECTs around it. */
  readonly items: readonly FromItem[]
}

/** Where the rows of a SELECT come from. */
interface From {
  readonly items: readonly FromItem[]
  readonly rows: readonly ReadColumn[]
}

/**
 * Which columns of tables a SELECT reads, for each column of its result and for the choice of its rows. Where it is not
 * certain, the answer names too many columns, never too few.
 * @param select whose tables have been given names that `tableOf` knows; other names are queries of its WITH
 * @throws SqlProblem where a column may be a function that gives the whole row
 */
export function lineageOf(
  select: TreeObject,
  tableOf: (name: string) => Lineage | undefined,
): Lineage {
  return withoutHow(lineageAndHow(select, tableOf))
}

/** The same, and how each column is read. */
export function lineageAndHow(
  select: TreeObject,
  tableOf: (name: string) => Lineage | undefined,
): Lineage {
  return new LineageReader(tableOf).select(select['SelectStmt'], new Map(), [])
}

/** Of a table, also of columns that it has besides the declared ones. */
export function lineageOfTable(table: TableName, declared: readonly string[] | undefined): Lineage {
  const columns = (declared ?? []).map((column): OutputColumn => {
    return { name: column, from: [{ ...table, column }] }
  })
  return { columns, stars: [table], rest: [], rows: [] }
}

/** Of rows that may be of any of these results, whose columns are the same by name. */
export function unitedLineage(lineages: readonly Lineage[]): Lineage {
  const listed = new Set(lineages.flatMap(({ columns }) => columns.map(({ name }) => name)))
  const behind = (name: string) => lineages.flatMap((each) => columnsBehind(each, name))
  return {
    columns: [...listed].map((name) => ({ name, from: unique(behind(name)) })),
    stars: uniqueTables(lineages.flatMap(({ stars }) => stars)),
    rest: unique(lineages.flatMap(({ rest }) => rest)),
    rows: unique(lineages.flatMap(({ rows }) => rows)),
  }
}

/** What one column of a result is computed from. */
export function columnsBehind({ columns, stars, rest }: Lineage, name: string): ReadColumn[] {
  const listed = columns.filter((column) => column.name === name)
  if (listed.length > 0) return unique(listed.flatMap(({ from }) => from))
  return [...stars.map((table) => ({ ...table, column: name })), ...rest]
}

/** What all columns of a result are computed from; `*` for all columns of a table. */
export function everything({ columns, stars, rest }: Lineage): ReadColumn[] {
  const whole = stars.map((table) => ({ ...table, column: '*' }))
  return [...columns.flatMap(({ from }) => from), ...whole, ...rest]
}

/** The same columns under names that are not followed. */
function renamed(lineage: Lineage): Lineage {
  const rest = unique(computed(everything(lineage)))
  return { columns: [], stars: [], rest, rows: lineage.rows }
}

class LineageReader {
  constructor(private readonly tableOf: (name: string) => Lineage | undefined) {}

  select(
    content: Tree | undefined,
    before: ReadonlyMap<string, Lineage>,
    outer: readonly FromItem[],
  ): Lineage {
    const queries = this.queriesOf(content, before)
    const left = field(content, 'larg')
    if (left) return this.setOperation(content, { queries, items: outer })
    const from = this.from(listOf(field(content, 'fromClause')), { queries, items: outer })
    const scope = { queries, items: [...from.items, ...outer] }
    const outputs = this.outputs(content, from.items, scope)
    const rows = [...from.rows, ...this.choiceOfRows(content, outputs, scope)]
    return { ...outputs, rows: unique(rows) }
  }

  private queriesOf(
    content: Tree | undefined,
    before: ReadonlyMap<string, Lineage>,
  ): ReadonlyMap<string, Lineage> {
    const queries = new Map(before)
    for (const each of listOf(field(field(content, 'withClause'), 'ctes'))) {
      const query = field(each, 'CommonTableExpr')
      const lineage = this.select(field(field(query, 'ctequery'), 'SelectStmt'), queries, [])
      const hasNames = listOf(field(query, 'aliascolnames')).length > 0
      queries.set(textOf(query, 'ctename'), hasNames ? renamed(lineage) : lineage)
    }
    return queries
  }

  /** Columns meet by position where all are known. EXCEPT and INTERSECT choose rows by all of them. */
  private setOperation(content: Tree | undefined, { queries, items }: Scope): Lineage {
    const [left, right] = [field(content, 'larg'), field(content, 'rarg')].map((side) =>
      this.select(side, queries, items),
    )
    if (!left || !right) throw new Error('a set operation has two sides')
    const chosen = textOf(content, 'op') === 'SETOP_UNION' ? [] : [left, right].flatMap(everything)
    const rows = unique([...left.rows, ...right.rows, ...readAs('filtered', chosen)])
    const isPlain = [left, right].every(({ stars, rest }) => stars.length + rest.length === 0)
    if (!isPlain || left.columns.length !== right.columns.length) {
      return { ...renamed({ ...left, rest: [...left.rest, ...everything(right)] }), rows }
    }
    const columns = left.columns.map(({ name, from }, index) => {
      return { name, from: unique([...from, ...(right.columns[index]?.from ?? [])]) }
    })
    return { columns, stars: [], rest: [], rows }
  }

  private from(nodes: readonly Tree[], scope: Scope): From {
    return nodes.reduce<From>(
      (before, node) => {
        const more = this.fromNode(node, { ...scope, items: [...before.items, ...scope.items] })
        return { items: [...before.items, ...more.items], rows: [...before.rows, ...more.rows] }
      },
      { items: [], rows: [] },
    )
  }

  private fromNode(node: Tree, scope: Scope): From {
    const join = field(node, 'JoinExpr')
    if (join) return this.join(join, scope)
    const table = field(node, 'RangeVar')
    const nested = field(field(field(node, 'RangeSubselect'), 'subquery'), 'SelectStmt')
    const name = textOf(table, 'relname')
    const lineage = nested
      ? this.select(nested, scope.queries, scope.items)
      : (this.tableOf(name) ?? scope.queries.get(name))
    if (!lineage) throw new SqlProblem('FROM may hold tables and sub-queries only', 0)
    const alias = field(table ?? field(node, 'RangeSubselect'), 'alias')
    return { items: [aliased(alias, name, lineage)], rows: lineage.rows }
  }

  private join(join: Tree, scope: Scope): From {
    const sides = this.from([field(join, 'larg') ?? null, field(join, 'rarg') ?? null], scope)
    const inside = { ...scope, items: [...sides.items, ...scope.items] }
    const using = names(field(join, 'usingClause')).flatMap((name) => resolve([name], inside))
    const natural = field(join, 'isNatural') === true ? allOf(sides.items) : []
    const compared = [...using, ...natural, ...this.reads(field(join, 'quals'), inside)]
    const rows = [...sides.rows, ...readAs('joined', compared)]
    const alias = field(join, 'alias')
    if (!isObject(alias)) return { items: sides.items, rows }
    const whole = { columns: [], stars: [], rest: allOf(sides.items), rows: [] }
    return { items: [...sides.items, aliased(alias, '', whole)], rows }
  }

  private outputs(
    content: Tree | undefined,
    own: readonly FromItem[],
    scope: Scope,
  ): Omit<Lineage, 'rows'> {
    const windows = this.reads(field(content, 'windowClause'), scope)
    const columns: OutputColumn[] = []
    const stars: TableName[] = []
    const rest = computed(this.reads(field(content, 'valuesLists'), scope))
    for (const each of listOf(field(content, 'targetList'))) {
      const target = field(each, 'ResTarget')
      const starred = starredItems(field(target, 'val'), own)
      for (const { lineage } of starred ?? []) {
        columns.push(...lineage.columns)
        stars.push(...lineage.stars)
        rest.push(...lineage.rest)
      }
      if (starred) continue
      const value = field(target, 'val')
      const read = this.reads(value, scope)
      const from = unique(field(value, 'ColumnRef') ? read : computed([...read, ...windows]))
      const name = nameOf(target)
      if (name === undefined) rest.push(...from)
      else columns.push({ name, from })
    }
    return { columns, stars, rest: unique(rest) }
  }

  private choiceOfRows(
    content: Tree | undefined,
    outputs: Omit<Lineage, 'rows'>,
    scope: Scope,
  ): ReadColumn[] {
    const clauses = ['whereClause', 'havingClause', 'limitCount', 'limitOffset']
    const groups = listOf(field(content, 'groupClause'))
    const sorts = listOf(field(content, 'sortClause'))
    const isDistinct = listOf(field(content, 'distinctClause')).length > 0
    const byOutput = [...groups, ...sorts].some((each) => isOfOutput(each, outputs.columns))
    return readAs('filtered', [
      ...clauses.flatMap((clause) => this.reads(field(content, clause), scope)),
      ...this.reads([...groups, ...sorts], scope),
      ...(isDistinct || byOutput ? everything({ ...outputs, rows: [] }) : []),
    ])
  }

  /** Every column that is read below a part of the tree. */
  private reads(tree: Tree | undefined, scope: Scope): ReadColumn[] {
    if (typeof tree !== 'object' || tree === null) return []
    if (!isObject(tree)) return Object.values(tree).flatMap((each) => this.reads(each, scope))
    const column = tree['ColumnRef']
    if (isObject(column)) {
      return resolve(names(column['fields']), scope, Number(column['location'] ?? 0))
    }
    const select = tree['SelectStmt']
    if (isObject(select)) {
      const inner = this.select(select, scope.queries, scope.items)
      return [...everything(inner), ...inner.rows]
    }
    const call = tree['FuncCall']
    if (isObject(call)) {
      const read = Object.values(call).flatMap((each) => this.reads(each, scope))
      return isAggregate(call) ? readAs('aggregated', read) : read
    }
    return Object.values(tree).flatMap((each) => this.reads(each, scope))
  }
}

function aliased(alias: Tree | undefined, name: string, lineage: Lineage): FromItem {
  const hasNames = listOf(field(alias, 'colnames')).length > 0
  return {
    name: textOf(alias, 'aliasname') || name,
    lineage: hasNames ? renamed(lineage) : lineage,
  }
}

function allOf(items: readonly FromItem[]): ReadColumn[] {
  return items.flatMap(({ lineage }) => everything(lineage))
}

/** The items whose columns `*` or `alias.*` stands for; `undefined` for anything else. */
function starredItems(
  value: Tree | undefined,
  own: readonly FromItem[],
): readonly FromItem[] | undefined {
  const parts = names(field(field(value, 'ColumnRef'), 'fields'))
  if (parts.at(-1) !== '*') return undefined
  const alias = parts.at(-2)
  return alias === undefined ? own : own.filter(({ name }) => name === alias)
}

/** A name that is the alias of something in FROM may be the whole row, and so may a column that is not declared. */
function resolve(parts: readonly string[], { items }: Scope, at = 0): ReadColumn[] {
  const column = parts.at(-1) ?? ''
  const alias = parts.at(-2)
  const named = items.filter(({ name }) => name === (alias ?? column))
  if (column === '*') return allOf(alias === undefined ? items : named)
  if (alias === undefined) {
    return [...items.flatMap(({ lineage }) => columnsBehind(lineage, column)), ...allOf(named)]
  }
  const candidates = named.length > 0 ? named : items
  return candidates.flatMap(({ lineage }) => {
    const isListed = lineage.columns.some(({ name }) => name === column)
    const isOpen = lineage.stars.length + lineage.rest.length > 0
    if (!isListed && isOpen && isWholeRowFunction(column)) {
      const message = `${column} may be a function of the whole row; declare the columns of the table`
      throw new SqlProblem(message, at)
    }
    return isListed || isOpen ? columnsBehind(lineage, column) : everything(lineage)
  })
}
