import { invalidRequest, suggest } from '@olytix/errors'
import type { Graph, GraphNode } from './graph.js'

/** Something that a change would touch. */
export interface Impact extends Pick<GraphNode, 'id' | 'type' | 'name'> {
  /** Steps from what changes. */
  readonly depth: number
  /** One of the shortest ways: ids, from what changes to this. */
  readonly path: readonly string[]
}

/**
 * What a change of something would touch: its parts, all that is made of them, and so on. The nearest first.
 * @throws AppError INVALID_REQUEST when the graph has nothing of this id
 */
export function impactOf(graph: Graph, id: string, maxDepth: number): readonly Impact[] {
  if (!graph.nodes.has(id)) throw unknown(graph, id)
  const next = nextOf(graph)
  const paths = new Map<string, readonly string[]>([[id, [id]]])
  for (const [at, path] of paths) {
    if (path.length > maxDepth) continue
    for (const to of next.get(at) ?? []) if (!paths.has(to)) paths.set(to, [...path, to])
  }
  paths.delete(id)
  return [...paths].flatMap(([found, path]) => {
    const node = graph.nodes.get(found)
    return node
      ? [{ id: node.id, type: node.type, name: node.name, depth: path.length - 1, path }]
      : []
  })
}

function nextOf({ nodes, edges }: Graph): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, string[]>()
  const add = (from: string, to: string): void => {
    const found = next.get(from)
    if (found) found.push(to)
    else next.set(from, [to])
  }
  for (const { id, parent } of nodes.values()) if (parent !== null) add(parent, id)
  for (const { from, to } of edges) add(from, to)
  return next
}

function unknown({ nodes }: Graph, id: string): Error {
  const near = suggest(id, nodes.keys())
  const message = `unknown id; expected one such as metric:revenue or column:raw.orders.region`
  return invalidRequest([
    { path: 'artifact_id', message, ...(near === undefined ? {} : { suggestion: near }) },
  ])
}
