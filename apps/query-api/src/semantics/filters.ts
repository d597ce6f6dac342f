import type { FilterLeaf, FilterNode } from '../project/filter-shape.js'
import type { Segment } from '../project/project.js'
import { quote } from '../project/shape.js'
import { type AskedDimension, resolveDimension } from './asked-dimensions.js'
import { allOf, type Condition, type RowCondition } from './condition.js'
import type { FactBuilder } from './fact-builder.js'
import type { Facts } from './facts.js'
import { FilterProblem } from './filter-problem.js'
import type { Issues } from './issues.js'
import { findMetric, typeOf } from './metric-inputs.js'
import { type Comparand, toTest } from './operators.js'
import type { Planning } from './plan-query.js'
import type { GroupSubject } from './query-plan.js'

interface Located {
  readonly node: FilterNode
  readonly path: string
}

/** What a comparison is about, and what it may be compared with. */
interface Subject<S> {
  readonly subject: S
  readonly comparand: Comparand
}

/** The conditions of a question, on rows of each fact and on groups. */
interface PlannedFilters {
  readonly rowsOf: (builder: FactBuilder) => RowCondition | undefined
  readonly having: () => Condition<GroupSubject>[]
}

/**
 * Turns the filters, range and segments of a question into conditions. A tree that names a metric anywhere filters
 * groups, and may name only dimensions that are asked for; every other tree filters the rows of every fact.
 */
export function planFilters(
  planning: Planning,
  facts: Facts,
  dimensions: readonly AskedDimension[],
): PlannedFilters {
  const located = locatedFilters(planning)
  const ofGroups = located.filter(({ node }) => namesMetric(node))
  const ofRows = located.filter(({ node }) => !namesMetric(node))
  for (const { node } of ofGroups) addFacts(planning, facts, node)
  for (const { node, path } of ofRows) checkRowFilter(planning, node, path)
  const segments = resolveSegments(planning)
  return {
    rowsOf: (builder) =>
      allOf([
        ...ofRows.flatMap(({ node, path }) => {
          return rowCondition(planning, facts, builder, { node, path }) ?? []
        }),
        ...segments.flatMap((segment) => segmentCondition(planning, builder, segment) ?? []),
      ]),
    having: () =>
      ofGroups.flatMap(({ node, path }) => {
        const find = (leaf: FilterLeaf, at: string) =>
          leaf.metric === undefined
            ? groupDimension(planning, dimensions, leaf, at)
            : groupMetric(planning, facts, leaf.metric, at)
        return toCondition<GroupSubject>(node, path, planning.issues, find) ?? []
      }),
  }
}

const TIME_RANGE = 'time_range'

function locatedFilters({ request }: Planning): Located[] {
  const filters = request.filters.map((node, index) => ({
    node,
    path: `filters[${String(index)}]`,
  }))
  if (!request.timeRange) return filters
  const { dimension, start, end } = request.timeRange
  const node: FilterNode = { dimension, operator: 'between', value: [start, end] }
  return [...filters, { node, path: TIME_RANGE }]
}

function namesMetric(node: FilterNode): boolean {
  if ('and' in node) return node.and.some(namesMetric)
  if ('or' in node) return node.or.some(namesMetric)
  return 'not' in node ? namesMetric(node.not) : node.metric !== undefined
}

function addFacts(planning: Planning, facts: Facts, node: FilterNode): void {
  if ('and' in node) for (const each of node.and) addFacts(planning, facts, each)
  else if ('or' in node) for (const each of node.or) addFacts(planning, facts, each)
  else if ('not' in node) addFacts(planning, facts, node.not)
  else if (node.metric !== undefined) {
    const metric = findMetric(planning.project, node.metric, false)
    if (metric) facts.addCubesOf(metric)
  }
}

/** Names and values, whichever cubes the filter will apply to. */
function checkRowFilter(planning: Planning, node: FilterNode, path: string): void {
  toCondition(node, path, planning.issues, (leaf, at) => {
    const dimension = resolveDimension(planning, leaf.dimension ?? '', dimensionPath(at))
    return dimension && { subject: dimension, comparand: dimension.planned }
  })
}

/** A range names its dimension where a filter does. */
function dimensionPath(path: string): string {
  return `${path}.dimension`
}

function rowCondition(
  planning: Planning,
  facts: Facts,
  builder: FactBuilder,
  { node, path }: Located,
): RowCondition | undefined {
  return toCondition(node, path, planning.issues, (leaf, at) => {
    const where = dimensionPath(at)
    const dimension = resolveDimension(planning, leaf.dimension ?? '', where)
    const subject = dimension && facts.place(builder, dimension.memberFor(builder.cube), where)
    return subject && { subject, comparand: dimension.planned }
  })
}

function groupDimension(
  planning: Planning,
  dimensions: readonly AskedDimension[],
  leaf: FilterLeaf,
  path: string,
): Subject<GroupSubject> | undefined {
  const key = leaf.dimension ?? ''
  const index = dimensions.findIndex(({ planned }) => planned.key === key)
  const found = dimensions[index]
  if (found) return { subject: { dimension: index }, comparand: { ...found.planned } }
  if (resolveDimension(planning, key, `${path}.dimension`)) {
    const message = `${quote(key)} stands beside a metric, where only dimensions that are asked for can be compared`
    planning.issues.add(`${path}.dimension`, message)
  }
  return undefined
}

function groupMetric(
  { project, vocabulary, issues }: Planning,
  facts: Facts,
  name: string,
  path: string,
): Subject<GroupSubject> | undefined {
  const metric = findMetric(project, name, false)
  if (!metric) {
    issues.unknown(`${path}.metric`, `unknown metric ${quote(name)}`, name, vocabulary.metrics)
    return undefined
  }
  const value = facts.groupValue(metric.value, `${path}.metric`)
  return { subject: { value }, comparand: { type: typeOf(metric.value), granularity: undefined } }
}

interface AskedSegment {
  readonly path: string
  readonly segment: Segment
}

function resolveSegments({ project, request, vocabulary, issues }: Planning): AskedSegment[] {
  return request.segments.flatMap((key, index): AskedSegment[] => {
    const path = `segments[${String(index)}]`
    const [cubeName = '', name = '', ...others] = key.split('.')
    const cube = project.cubes[cubeName]
    const segment = cube?.isPublic === true ? cube.segments[name] : undefined
    if (segment?.isPublic === true && others.length === 0) return [{ path, segment }]
    issues.unknown(path, `unknown segment ${quote(key)}`, key, vocabulary.segments)
    return []
  })
}

function segmentCondition(
  { issues }: Planning,
  builder: FactBuilder,
  { path, segment }: AskedSegment,
): RowCondition | undefined {
  const { cube, name, expression } = segment
  const alias = builder.placeCube(cube)
  if (typeof alias !== 'string') {
    issues.add(path, alias.message, alias.suggestion)
    return undefined
  }
  builder.members.push({ cube, member: name })
  return { kind: 'holds', subject: { alias, expression, type: 'boolean' } }
}

/**
 * A filter tree as a condition; `undefined` after reporting what is wrong in it.
 * @param find what a comparison is about, after reporting why it is nothing
 */
export function toCondition<S>(
  node: FilterNode,
  path: string,
  issues: Issues,
  find: (leaf: FilterLeaf, path: string) => Subject<S> | undefined,
): Condition<S> | undefined {
  if ('and' in node || 'or' in node) {
    const [kind, nodes] = 'and' in node ? (['and', node.and] as const) : (['or', node.or] as const)
    const conditions = nodes.map((each, index) =>
      toCondition(each, `${path}.${kind}[${String(index)}]`, issues, find),
    )
    const found = conditions.filter((each) => each !== undefined)
    return found.length === conditions.length ? { kind, conditions: found } : undefined
  }
  if ('not' in node) {
    const condition = toCondition(node.not, `${path}.not`, issues, find)
    return condition && { kind: 'not', condition }
  }
  const found = find(node, path)
  if (!found) return undefined
  try {
    return { kind: 'test', subject: found.subject, test: toTest(node, found.comparand) }
  } catch (error) {
    if (!(error instanceof FilterProblem)) throw error
    issues.add(`${path}.${keyOf(path, error)}`, error.message, error.suggestion)
    return undefined
  }
}

/** A range has its ends where a filter has a list of two. */
function keyOf(path: string, { key, index = 0 }: FilterProblem): string {
  if (path !== TIME_RANGE || key !== 'value') return key
  return index === 1 ? 'end' : 'start'
}
