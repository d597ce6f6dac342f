import type { Principal } from '@olytix/auth-guards'
import type { Cube, Project } from '../project/project.js'
import { Visibility } from '../rls/visibility.js'
import { findMetric } from '../semantics/metric-inputs.js'
import { graphOf } from './build-graph.js'
import type { Graph, GraphEdge, GraphNode } from './graph.js'
import { Ways } from './ways.js'

const MEMBERS: ReadonlySet<GraphNode['type']> = new Set(['dimension', 'measure', 'segment'])
const RELATIONS: ReadonlySet<GraphNode['type']> = new Set(['table', 'model', 'seed'])

/**
 * What a principal may know of the graph; all of it for an admin, who may read the definitions. Of cubes, members and
 * metrics that is what they may ask for. Of columns it is what these are computed from, unless a member that is withheld
 * from them reads it too; of tables, models and seeds those that visible cubes read. What leads through anything else is
 * left out with it: the ends do not say that they are connected.
 */
export function visibleGraph(project: Project, principal: Principal): Graph {
  const graph = graphOf(project)
  if (principal.scopes.includes('admin')) return graph
  const visible = visibleIds(project, principal, graph)
  return {
    nodes: new Map([...graph.nodes].filter(([id]) => visible.has(id))),
    edges: graph.edges.filter(({ from, to }) => visible.has(from) && visible.has(to)),
  }
}

function visibleIds(project: Project, principal: Principal, graph: Graph): ReadonlySet<string> {
  const asked = new Asked(project, principal)
  const nodes = [...graph.nodes.values()]
  const open = nodes.filter((node) => asked.isOpen(node))
  const withheld = nodes.filter((node) => asked.isWithheld(node))
  const before = new Ways(graph.edges.filter(isOfValues))
  const behindOpen = before.upstream(open.map(({ id }) => id))
  const behindWithheld = before.upstream(withheld.map(({ id }) => id))
  const shown = nodes.filter(({ id, type }) => {
    const isOfRows = type === 'column' || RELATIONS.has(type)
    return isOfRows && behindOpen.has(id) && (type !== 'column' || !behindWithheld.has(id))
  })
  const ids = new Set([...open, ...shown].map(({ id }) => id))
  const sources = nodes.filter(({ type, id }) => {
    return type === 'source' && shown.some(({ parent }) => parent === id)
  })
  return new Set([...ids, ...sources.map(({ id }) => id)])
}

/** What chooses rows is no value; whoever may see the one need not know of the other. */
function isOfValues({ type }: GraphEdge): boolean {
  return type !== 'FILTERED' && type !== 'JOINED'
}

/** What a principal may ask for. */
class Asked {
  private readonly visibility: Visibility

  constructor(
    private readonly project: Project,
    principal: Principal,
  ) {
    this.visibility = new Visibility(project, principal)
  }

  isOpen({ type, name }: GraphNode): boolean {
    if (type === 'metric') {
      const metric = findMetric(this.project, name, false)
      return metric !== undefined && this.visibility.metric(metric)
    }
    const [cubeName = '', own = ''] = name.split('.')
    const cube = this.project.cubes[cubeName]
    if (!cube) return false
    if (type === 'cube') return this.visibility.cube(cube)
    if (type === 'join') return this.isJoinOpen(cube, own)
    return MEMBERS.has(type) && this.isMemberOpen(cube, own)
  }

  /** A member that is kept from the principal although they see its cube. */
  isWithheld({ type, name }: GraphNode): boolean {
    const [cubeName = '', own = ''] = name.split('.')
    const cube = this.project.cubes[cubeName]
    if (!cube || !MEMBERS.has(type)) return false
    return this.visibility.cube(cube) && !this.visibility.allows(cube, [own])
  }

  private isJoinOpen(cube: Cube, name: string): boolean {
    const other = this.project.cubes[cube.joins[name]?.cube ?? '']
    return other !== undefined && [cube, other].every((each) => this.visibility.cube(each))
  }

  private isMemberOpen(cube: Cube, name: string): boolean {
    const member = cube.dimensions[name] ?? cube.measures[name] ?? cube.segments[name]
    return member !== undefined && this.visibility.member(cube, member)
  }
}
