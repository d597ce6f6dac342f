import { columnsBehind } from '../project/column-lineage.js'
import type { RelationName } from '../project/model.js'
import type { Lineage, Project, ReadColumn, TableName } from '../project/project.js'
import { namedAsTable, tableKey } from '../project/table-names.js'
import { type EdgeType, type Graph, type GraphEdge, type GraphNode, idOf, nameOf } from './graph.js'

interface RelationNode {
  readonly id: string
  readonly names: readonly string[]
  /** Of a model: what its columns are made of. */
  readonly oneStep: Lineage | undefined
}

/** The part of the graph that is sources, models and seeds, down to columns; the rest is added to it. */
export class RelationGraph implements Graph {
  readonly nodes = new Map<string, GraphNode>()
  private readonly edgesByKey = new Map<string, GraphEdge>()
  private readonly relations = new Map<string, RelationNode>()

  constructor(project: Project) {
    for (const source of Object.values(project.sources)) {
      const parent = this.node('source', [source.name], null)
      for (const [name, table] of Object.entries(source.tables)) {
        const names = [source.name, name]
        this.relation('table', table, { names, parent, oneStep: undefined })
        for (const column of table.columns ?? []) this.column(table, column)
      }
    }
    for (const { name, columns } of Object.values(project.seeds)) {
      const table = namedAsTable({ model: name })
      this.relation('seed', table, { names: [name], parent: null, oneStep: undefined })
      for (const column of columns) this.column(table, column.name)
    }
    const models = Object.values(project.models)
    for (const { name, oneStep } of models) {
      const table = namedAsTable({ model: name })
      this.relation('model', table, { names: [name], parent: null, oneStep })
    }
    for (const { name, oneStep, reads } of models) {
      const to = idOf('model', name)
      for (const { name: column } of oneStep.columns)
        this.column(namedAsTable({ model: name }), column)
      this.rows(to, { reads, oneStep })
    }
  }

  get edges(): readonly GraphEdge[] {
    return [...this.edgesByKey.values()]
  }

  node(type: GraphNode['type'], names: readonly string[], parent: string | null): string {
    const id = idOf(type, ...names)
    if (!this.nodes.has(id)) this.nodes.set(id, { id, type, name: nameOf(names), parent })
    return id
  }

  edge(from: string | undefined, to: string, type: EdgeType): void {
    if (from === undefined || from === to) return
    this.edgesByKey.set(JSON.stringify([from, to, type]), { from, to, type })
  }

  /** A relation's rows: what it reads as a whole, and the columns that choose or join them. */
  rows(
    to: string,
    { reads, oneStep }: { readonly reads: readonly RelationName[]; readonly oneStep: Lineage },
  ): void {
    for (const each of reads)
      this.edge(this.relations.get(tableKey(namedAsTable(each)))?.id, to, 'DIRECT')
    for (const column of oneStep.rows) {
      this.edge(this.place(column), to, column.how === 'joined' ? 'JOINED' : 'FILTERED')
    }
  }

  /** The node of a column, or of its whole relation for `*`; `undefined` where nothing of that name is declared. */
  place({ column, ...table }: ReadColumn): string | undefined {
    return column === '*' ? this.relations.get(tableKey(table))?.id : this.column(table, column)
  }

  private relation(
    type: GraphNode['type'],
    table: TableName,
    { names, parent, oneStep }: Omit<RelationNode, 'id'> & { readonly parent: string | null },
  ): void {
    const id = this.node(type, names, parent)
    const key = tableKey(table)
    if (!this.relations.has(key)) this.relations.set(key, { id, names, oneStep })
  }

  private column(table: TableName, column: string): string | undefined {
    const relation = this.relations.get(tableKey(table))
    if (!relation) return undefined
    const names = [...relation.names, column]
    if (this.nodes.has(idOf('column', ...names))) return idOf('column', ...names)
    const id = this.node('column', names, relation.id)
    const from = relation.oneStep ? columnsBehind(relation.oneStep, column) : []
    for (const each of from) this.edge(this.place(each), id, typeOf(each, column))
    return id
  }
}

function typeOf({ how, column: from }: ReadColumn, to: string): EdgeType {
  if (how === 'aggregated') return 'AGGREGATED'
  if (how !== undefined && how !== 'copied') return 'DERIVED'
  return from === to ? 'DIRECT' : 'RENAMED'
}
