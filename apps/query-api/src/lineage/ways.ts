import type { GraphEdge } from './graph.js'

/** Edges by where they lead. */
export class Ways {
  private readonly into = new Map<string, string[]>()

  constructor(edges: readonly GraphEdge[]) {
    for (const { from, to } of edges) {
      const found = this.into.get(to)
      if (found) found.push(from)
      else this.into.set(to, [from])
    }
  }

  /** All that these are made of, and they themselves. */
  upstream(ids: readonly string[]): ReadonlySet<string> {
    const found = new Set(ids)
    for (const id of found) for (const from of this.into.get(id) ?? []) found.add(from)
    return found
  }
}
