import { columnsBehind } from '../project/column-lineage.js'
import { type FilterNode, filterLeaves } from '../project/filter-shape.js'
import { findDimension } from '../project/member-names.js'
import type {
  Cube,
  Expression,
  Join,
  Measure,
  Metric,
  Project,
  ReadColumn,
  ValueExpression,
} from '../project/project.js'
import { type EdgeType, type Graph, idOf } from './graph.js'
import { RelationGraph } from './relation-graph.js'

/** The graph of a project, of everything that is in it; the same object for the same project. */
export function graphOf(project: Project): Graph {
  const result = known.get(project) ?? buildGraph(project)
  known.set(project, result)
  return result
}

const known = new WeakMap<Project, Graph>()

function buildGraph(project: Project): Graph {
  const graph = new RelationGraph(project)
  const builder = new MemberGraph(project, graph)
  const cubes = Object.values(project.cubes)
  for (const { name } of cubes) graph.node('cube', [name], null)
  for (const cube of cubes) builder.cube(cube)
  for (const metric of Object.values(project.metrics)) builder.metric(metric)
  return { nodes: graph.nodes, edges: graph.edges }
}

class MemberGraph {
  constructor(
    private readonly project: Project,
    private readonly graph: RelationGraph,
  ) {}

  cube(cube: Cube): void {
    const id = idOf('cube', cube.name)
    this.graph.rows(id, cube)
    for (const { name, expression } of Object.values(cube.dimensions)) {
      const to = this.graph.node('dimension', [cube.name, name], id)
      this.columns(cube, expression, to, 'DIMENSION_SOURCE')
    }
    for (const { name, expression } of Object.values(cube.segments)) {
      const to = this.graph.node('segment', [cube.name, name], id)
      this.columns(cube, expression, to, 'FILTERED')
    }
    for (const measure of Object.values(cube.measures)) this.measure(cube, measure)
    for (const join of Object.values(cube.joins)) this.join(cube, join)
  }

  metric({ name, value, filters }: Metric): void {
    const to = this.graph.node('metric', [name], null)
    this.value(value, to, 'METRIC_SOURCE')
    this.filters(filters, to)
  }

  private measure(cube: Cube, measure: Measure): void {
    const { name, expression, value, filters, nonAdditive } = measure
    const to = this.graph.node('measure', [cube.name, name], idOf('cube', cube.name))
    if (expression) this.columns(cube, expression, to, 'MEASURE_SOURCE')
    for (const filter of filters) this.columns(cube, filter, to, 'FILTERED')
    if (value) this.value(value, to, 'MEASURE_SOURCE')
    for (const each of nonAdditive ? [nonAdditive.time, ...nonAdditive.by] : []) {
      this.graph.edge(idOf('dimension', cube.name, each), to, 'FILTERED')
    }
  }

  private join(cube: Cube, { name, cube: other, on, validity }: Join): void {
    const to = this.graph.node('join', [cube.name, name], idOf('cube', cube.name))
    const target = this.project.cubes[other]
    this.graph.edge(idOf('cube', other), to, 'JOINED')
    this.columns(cube, on, to, 'JOINED')
    if (!target) return
    this.columns(target, on, to, 'JOINED', 'other')
    for (const end of validity ? [validity.from, validity.to] : []) {
      this.columns(target, end, to, 'JOINED')
    }
  }

  private columns(
    { oneStep }: Cube,
    { parts }: Expression,
    to: string,
    ...[type, of = 'own']: [type: EdgeType, of?: 'own' | 'other']
  ): void {
    const read = parts.flatMap((part): ReadColumn[] => {
      return typeof part === 'object' && part.of === of ? columnsBehind(oneStep, part.column) : []
    })
    for (const column of read) this.graph.edge(this.graph.place(column), to, type)
  }

  private value({ parts }: ValueExpression, to: string, type: EdgeType): void {
    for (const part of parts) {
      if (typeof part === 'string') continue
      if ('conversion' in part) {
        const { base, measure, pairs } = part.conversion
        for (const each of [base, measure]) {
          this.graph.edge(idOf('measure', each.cube, each.measure), to, type)
        }
        for (const pair of pairs) {
          this.graph.edge(idOf('dimension', base.cube, pair.base), to, 'JOINED')
          this.graph.edge(idOf('dimension', measure.cube, pair.conversion), to, 'JOINED')
        }
        continue
      }
      const from =
        'metric' in part ? idOf('metric', part.metric) : idOf('measure', part.cube, part.measure)
      this.graph.edge(from, to, type)
      this.filters(part.filters ?? [], to)
    }
  }

  private filters(filters: readonly FilterNode[], to: string): void {
    for (const { dimension, metric, per = [] } of filterLeaves(filters)) {
      const names = [dimension ?? '', ...per.flatMap((key) => [key.dimension, key.matches])]
      for (const name of names) {
        const found = findDimension(this.project, name, true)
        if (typeof found === 'string') continue
        this.graph.edge(
          idOf('dimension', found.dimension.cube, found.dimension.name),
          to,
          'FILTERED',
        )
      }
      if (metric === undefined) continue
      const [cube = '', measure] = metric.split('.')
      const from = measure === undefined ? idOf('metric', cube) : idOf('measure', cube, measure)
      this.graph.edge(from, to, 'FILTERED')
    }
  }
}
