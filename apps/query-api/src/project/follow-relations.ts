import { deepFreeze } from '@olytix/config'
import { AppError } from '@olytix/errors'
import { columnsBehind, everything } from './column-lineage.js'
import { byName } from './named.js'
import type { ColumnName, Lineage, OutputColumn, Project, Relation, TableName } from './project.js'
import { parseRelation, type Readable } from './select.js'
import { SqlProblem } from './sql-tree.js'
import { tableKey, uniqueTables } from './table-names.js'
import { isWholeRowFunction } from './whole-row.js'

/** A table or view as the warehouse holds it. */
export interface StoredRelation extends TableName {
  readonly kind: 'table' | 'view' | 'other'
  readonly columns: readonly string[]
  /** The SELECT of a view, with qualified names. */
  readonly definition: string | undefined
  /** What a view reads; of a table its partitions, and those that it is one of. */
  readonly reads: readonly TableName[]
  /** Made by a run of models. */
  readonly isBuilt: boolean
}

/** What a build read: also tables of which no column is among its lineage, as of a count of their rows. */
export interface MadeFrom extends Lineage {
  readonly tables: readonly TableName[]
}

/** A table that runs have built, and what its rows may have come from: those of an older definition may be there still. */
export interface BuiltTable extends TableName {
  readonly lineages: readonly MadeFrom[]
}

/**
 * The project with its lineage followed through the views, partitions and built tables of the warehouse, so that a view
 * over a protected table is no second name for it, nor is a table that was once built from one, whoever declares it now.
 * Where that cannot be known, as for foreign tables, functions, and tables that are not there, the relation is opaque.
 * @param stored all tables of the project and of `built`, and all that stands behind them
 * @throws AppError INVALID_PROJECT when a time spine, which everybody may read, reads what is protected, or a declared
 * column that is not there would be a function
 */
export function followRelations(
  project: Project,
  stored: readonly StoredRelation[],
  built: readonly BuiltTable[],
): Project {
  requireDeclaredColumns(project, stored)
  const follower = new Follower(project, stored, built)
  const cubes = Object.values(project.cubes).map((cube) => {
    return { ...cube, relation: follower.relation(cube.relation) }
  })
  const followed = { ...project, cubes: byName(cubes) }
  requireOpenSpines(followed, follower)
  return deepFreeze(followed)
}

/** Every table that is named by what was built. */
export function tablesBehind(built: readonly BuiltTable[]): TableName[] {
  return uniqueTables(built.flatMap(({ lineages }) => lineages.flatMap(tablesOf)))
}

class Follower {
  private readonly stored: ReadonlyMap<string, StoredRelation>
  private readonly built: ReadonlyMap<string, BuiltTable>
  /** Where stored models and seeds are kept. Such a table need not be there yet. */
  private readonly targets: ReadonlySet<string>
  private readonly views = new Map<string, Lineage | undefined>()

  constructor(
    { models, seeds }: Project,
    stored: readonly StoredRelation[],
    built: readonly BuiltTable[],
  ) {
    this.stored = new Map(stored.map((each) => [tableKey(each), each]))
    this.built = new Map(built.map((each) => [tableKey(each), each]))
    const kept = Object.values(models).flatMap(({ target, isStored }) =>
      target && isStored ? [target] : [],
    )
    const loaded = Object.values(seeds).map(({ target }) => target)
    this.targets = new Set([...kept, ...loaded].map(tableKey))
  }

  relation(relation: Relation): Relation {
    const tables = this.tables(relation.tables)
    const isOpaque = tables.some((table) => this.isOpaque(table))
    return { ...relation, tables, isOpaque, lineage: this.lineage(relation, tables) }
  }

  /** Tables with all that stands behind them. */
  tables(tables: readonly TableName[]): TableName[] {
    const found = new Map<string, TableName>()
    const add = (table: TableName): void => {
      if (found.has(tableKey(table))) return
      found.set(tableKey(table), { schema: table.schema, table: table.table })
      this.stored.get(tableKey(table))?.reads.forEach(add)
      this.buildsOf(table).flatMap(tablesOf).forEach(add)
    }
    tables.forEach(add)
    return uniqueTables([...found.values()])
  }

  isOpaque(table: TableName): boolean {
    const key = tableKey(table)
    const stored = this.stored.get(key)
    if (!stored) return !this.targets.has(key)
    if (stored.kind === 'other') return true
    if (stored.kind === 'table') return stored.isBuilt && !this.built.has(key)
    return this.view(stored) === undefined
  }

  private buildsOf(table: TableName): readonly MadeFrom[] {
    return this.built.get(tableKey(table))?.lineages ?? []
  }

  private lineage({ lineage }: Relation, tables: readonly TableName[]): Lineage {
    const columns = [...lineage.columns, ...this.starred(lineage)].map(({ name, from }) => {
      return { name, from: this.behind(from) }
    })
    const chosenBy = tables.flatMap((table) => {
      const stored = this.stored.get(tableKey(table))
      const ofView =
        stored?.kind === 'view' ? (this.view(stored)?.rows ?? wholes(stored.reads)) : []
      return [...ofView, ...this.buildsOf(table).flatMap(({ rows }) => rows)]
    })
    const rows = this.behind([...lineage.rows, ...chosenBy])
    return { columns, stars: lineage.stars, rest: this.behind(lineage.rest), rows }
  }

  /** The columns that a star stands for, or will after the next run, by their name in each of its tables. */
  private starred({ stars }: Lineage): OutputColumn[] {
    const names = this.tables(stars).flatMap((table) => [
      ...(this.stored.get(tableKey(table))?.columns ?? []),
      ...this.buildsOf(table).flatMap(({ columns }) => columns.map(({ name }) => name)),
    ])
    return [...new Set(names)].map((name) => {
      return { name, from: stars.map((table) => ({ ...table, column: name })) }
    })
  }

  /** Columns with all columns that they are read from, through any number of views. */
  private behind(columns: readonly ColumnName[]): ColumnName[] {
    const found = new Map<string, ColumnName>()
    const add = (column: ColumnName): void => {
      const key = JSON.stringify([tableKey(column), column.column])
      if (found.has(key)) return
      found.set(key, column)
      this.next(column).forEach(add)
    }
    columns.forEach(add)
    return [...found.values()]
  }

  private next(column: ColumnName): readonly ColumnName[] {
    const ofBuilds = this.buildsOf(column).flatMap((lineage) =>
      column.column === '*' ? everything(lineage) : columnsBehind(lineage, column.column),
    )
    return [...ofBuilds, ...this.nextStored(column)]
  }

  private nextStored(column: ColumnName): readonly ColumnName[] {
    const stored = this.stored.get(tableKey(column))
    if (!stored) return []
    if (stored.kind === 'table') {
      return stored.reads.map((table) => ({ ...table, column: column.column }))
    }
    const view = this.view(stored)
    if (!view) return wholes(stored.reads)
    const names = column.column === '*' ? stored.columns : [column.column]
    return names.flatMap((name) => columnsBehind(view, name))
  }

  /** What a view reads, by its own text; `undefined` where that goes beyond what definitions may use. */
  private view(stored: StoredRelation): Lineage | undefined {
    const key = tableKey(stored)
    if (!this.views.has(key)) this.views.set(key, this.parseView(stored))
    return this.views.get(key)
  }

  private parseView({ definition = '' }: StoredRelation): Lineage | undefined {
    // It is no template, but would be read as one.
    if (/\{[{%#]/.test(definition)) return undefined
    const readable: Readable = {
      table: (schema, table) => {
        const columns = this.stored.get(tableKey({ schema, table }))?.columns
        return columns && { name: table, schema, table, description: '', columns }
      },
      tableNames: [],
      model: (name, offset) => {
        throw new SqlProblem(`unknown model ${name}`, offset)
      },
    }
    try {
      return parseRelation(definition, readable).lineage
    } catch (error) {
      if (error instanceof SqlProblem) return undefined
      throw error
    }
  }
}

/** Where there is no such column PostgreSQL takes the name for a function of the whole row, which reads all columns. */
function requireDeclaredColumns({ sources }: Project, stored: readonly StoredRelation[]): void {
  const found = new Map(stored.map((each) => [tableKey(each), each.columns]))
  const tables = Object.values(sources).flatMap((source) => Object.values(source.tables))
  for (const table of tables) {
    const columns = found.get(tableKey(table)) ?? []
    const declared = table.columns ?? []
    const wrong = declared.find((name) => !columns.includes(name) && isWholeRowFunction(name))
    if (wrong !== undefined) {
      throw refused('sources', `${table.schema}.${table.table} has no column ${wrong}`)
    }
  }
}

function requireOpenSpines(project: Project, follower: Follower): void {
  const ruled = new Set([...project.policies, ...project.masking].map(({ cube }) => cube))
  if (ruled.size === 0) return
  const closed = new Set(
    [...ruled].flatMap((name) => project.cubes[name]?.relation.tables.map(tableKey) ?? []),
  )
  const read = follower.tables(project.timeSpines.flatMap(({ tables }) => tables))
  const found = read.find((table) => closed.has(tableKey(table)) || follower.isOpaque(table))
  if (!found) return
  const name = `${found.schema}.${found.table}`
  const message = `${name} is protected, or what it reads is not known; it cannot be a time spine`
  throw refused('time_spines', message)
}

function refused(path: string, message: string): AppError {
  return new AppError('INVALID_PROJECT', message, { details: [{ path, message }] })
}

function tablesOf({ tables, columns, stars, rest, rows }: MadeFrom): TableName[] {
  const named = [...columns.flatMap(({ from }) => from), ...rest, ...rows]
  return [...tables, ...stars, ...named].map(({ schema, table }) => ({ schema, table }))
}

function wholes(tables: readonly TableName[]): ColumnName[] {
  return tables.map((table) => ({ ...table, column: '*' }))
}
