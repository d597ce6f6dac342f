type NodeType =
  | 'source'
  | 'table'
  | 'model'
  | 'seed'
  | 'column'
  | 'cube'
  | 'dimension'
  | 'measure'
  | 'segment'
  | 'join'
  | 'metric'

export type EdgeType =
  | 'DIRECT'
  | 'RENAMED'
  | 'DERIVED'
  | 'AGGREGATED'
  | 'JOINED'
  | 'FILTERED'
  | 'DIMENSION_SOURCE'
  | 'MEASURE_SOURCE'
  | 'METRIC_SOURCE'

/** Something that a project defines. Its id is its type and its name: `column:raw.orders.region`. */
export interface GraphNode {
  readonly id: string
  readonly type: NodeType
  readonly name: string
  /** What it is part of: of a column its table, model or seed, of a member its cube, of a table its source. */
  readonly parent: string | null
}

/** `to` is made of `from`. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly type: EdgeType
}

/** What a project's definitions are made of; without circles. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly edges: readonly GraphEdge[]
}

/** An id; a name that holds a dot or a quotation mark is quoted, so that no two things share one. */
export function idOf(type: NodeType, ...names: readonly string[]): string {
  return `${type}:${nameOf(names)}`
}

export function nameOf(names: readonly string[]): string {
  return names
    .map((name) => (/[."]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name))
    .join('.')
}
