import { columnsBehind } from '../project/column-lineage.js'
import type { ColumnName, Cube, Expression } from '../project/project.js'
import { tableKey } from '../project/table-names.js'

/** The columns of tables that an expression of a cube reads. */
export function columnsRead({ relation }: Cube, { parts }: Expression): ColumnName[] {
  return parts.flatMap((part) => {
    const isOwn = typeof part === 'object' && part.of === 'own'
    return isOwn ? columnsBehind(relation.lineage, part.column) : []
  })
}

/** Columns that are hidden behind masks, wherever they are read. */
export class ProtectedColumns {
  private readonly columns: ReadonlySet<string>
  private readonly tables: ReadonlySet<string>

  constructor(columns: readonly ColumnName[]) {
    this.columns = new Set(columns.map(columnKey))
    this.tables = new Set(columns.map(tableKey))
  }

  /** Whether one of them is among what is read; all columns of a table are more than one of it. */
  isAmong(read: readonly ColumnName[]): boolean {
    return read.some((each) => {
      if (each.column === '*') return this.tables.has(tableKey(each))
      return (
        this.columns.has(columnKey(each)) || this.columns.has(columnKey({ ...each, column: '*' }))
      )
    })
  }
}

function columnKey({ schema, table, column }: ColumnName): string {
  return JSON.stringify([schema, table, column])
}
