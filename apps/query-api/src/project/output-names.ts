import { field, isObject, listOf, names, type Tree, type TreeObject } from './sql-tree.js'

/** The names of a SELECT's result, unless a star hides them. */
export function outputColumns(select: TreeObject): readonly string[] | undefined {
  let body = select['SelectStmt']
  for (let left = field(body, 'larg'); isObject(left); left = field(body, 'larg')) body = left
  const targets = listOf(field(body, 'targetList'))
  const columns = targets.map((target) => nameOf(field(target, 'ResTarget')))
  return columns.length > 0 && columns.every((name) => name !== undefined && name !== '*')
    ? columns.filter((name) => name !== undefined)
    : undefined
}

/** The name that PostgreSQL gives a column of the result, where it is plain. */
export function nameOf(target: Tree | undefined): string | undefined {
  const name = field(target, 'name')
  if (typeof name === 'string') return name
  const value = field(target, 'val')
  return (
    names(field(field(value, 'ColumnRef'), 'fields')).at(-1) ??
    names(field(field(value, 'FuncCall'), 'funcname')).at(-1)
  )
}

/** Whether GROUP BY or ORDER BY may mean a column of the result, by its name or number. */
export function isOfOutput(tree: Tree, columns: readonly { readonly name: string }[]): boolean {
  const value = field(field(tree, 'SortBy'), 'node') ?? tree
  if (field(value, 'A_Const')) return true
  const parts = names(field(field(value, 'ColumnRef'), 'fields'))
  return parts.length === 1 && columns.some(({ name }) => name === parts[0])
}
