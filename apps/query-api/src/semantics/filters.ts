import { quote } from '@olytix/config/yaml'
import { type FilterLeaf, filterLeaves, type FilterNode } from '../project/filter-shape.js'
import type { Segment } from '../project/project.js'
import { type AskedDimension, resolveDimension } from './asked-dimensions.js'
import type { Condition, RowCondition, RowValue } from './condition.js'
import type { FactBuilder } from './fact-builder.js'
import type { Facts } from './facts.js'
import { findMetric, typeOf } from './metric-inputs.js'
import { isOnAxis } from './on-spine.js'
import { planKeyed, type Planning } from './plan-query.js'
import type { GroupSubject } from './query-plan.js'
import { rangeOf } from './time-range.js'
import { type Subject, toCondition } from './to-condition.js'

export interface Located {
  readonly node: FilterNode
  readonly path: string
}

/** The conditions of a question, on rows of each fact and on groups. */
export interface RowFilters {
  readonly located: readonly Located[]
  /** The conditions on the rows of a fact; `own` are those of the metric that it is made for. */
  readonly rowsOf: (builder: FactBuilder, own: readonly FilterNode[]) => RowCondition[]
}

interface PlannedFilters extends RowFilters {
  /** Dimensions that rows are filtered by. */
  readonly dimensions: readonly AskedDimension[]
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
  const all = locatedFilters(planning)
  const ofGroups = all.filter(({ node }) => namesMetric(node))
  const located = all.filter(({ node }) => !namesMetric(node))
  for (const { node } of ofGroups) addFacts(planning, facts, node)
  const filtered = located.flatMap(({ node, path }) => checkRowFilter(planning, node, path))
  const segments = resolveSegments(planning)
  const ofPeriods = facts.isOfValues ? filtersOfPeriods(planning, dimensions, located) : []
  return {
    located,
    dimensions: filtered,
    rowsOf: (builder, own) => [
      ...located.flatMap(({ node, path }) => {
        if (ofPeriods.includes(node)) return []
        return rowCondition(planning, facts, builder, { node, path }) ?? []
      }),
      ...metricConditions(planning, facts, builder, own),
      ...segments.flatMap((segment) => segmentCondition(planning, builder, segment) ?? []),
    ],
    having: () =>
      ofGroups.flatMap(({ node, path }) => {
        const find = (leaf: FilterLeaf, at: string) =>
          leaf.metric === undefined
            ? groupDimension(planning, dimensions, leaf, at)
            : groupMetric(planning, facts, leaf.metric, at)
        return toCondition<GroupSubject>(node, path, planning, find) ?? []
      }),
  }
}

/** Of values without metrics, the filters on the periods beside them. Elsewhere there is no `metric_time` to compare. */
function filtersOfPeriods(
  { issues }: Planning,
  dimensions: readonly AskedDimension[],
  located: readonly Located[],
): FilterNode[] {
  const hasPeriods = dimensions.some(({ start }) => start === undefined)
  const named = located.filter(({ node }) =>
    filterLeaves([node]).some((leaf) => isOnAxis(leaf, undefined)),
  )
  for (const { node, path } of named) {
    if (hasPeriods && isOnAxis(node, undefined)) continue
    const message =
      'metric_time is the time of metrics; without any, it is compared by itself where it is a dimension of the question'
    issues.add(path, message)
  }
  return named.map(({ node }) => node)
}

/** Filters of a metric's definition, which may name what is not public. */
export function metricConditions(
  planning: Planning,
  facts: Facts,
  builder: FactBuilder,
  nodes: readonly FilterNode[],
): RowCondition[] {
  const inside = { ...planning, seesPrivate: true }
  return nodes.flatMap(
    (node) => rowCondition(inside, facts, builder, { node, path: 'metrics' }) ?? [],
  )
}

function locatedFilters({ request }: Planning): Located[] {
  const filters = request.filters.map((node, index) => ({
    node,
    path: `filters[${String(index)}]`,
  }))
  const range = rangeOf(request)
  return range ? [...filters, range] : filters
}

function namesMetric(node: FilterNode): boolean {
  return filterLeaves([node]).some(({ metric, per }) => metric !== undefined && !per)
}

function addFacts(planning: Planning, facts: Facts, node: FilterNode): void {
  for (const { metric: name, per } of filterLeaves([node])) {
    const metric = name === undefined || per ? undefined : findMetric(planning.project, name, false)
    if (metric) facts.addFactsOf(metric)
  }
}

/** Names and values, whichever cubes the filter will apply to. */
function checkRowFilter(planning: Planning, node: FilterNode, path: string): AskedDimension[] {
  const found: AskedDimension[] = []
  toCondition(node, path, planning, (leaf, at) => {
    if (leaf.metric !== undefined) {
      for (const { dimension: key } of leaf.per ?? []) {
        const dimension = resolveDimension(planning, key, `${at}.per`)
        if (dimension) found.push(dimension)
      }
      const metric = findMetric(planning.project, leaf.metric, planning.seesPrivate)
      const type = metric ? typeOf(metric.value) : 'number'
      return { subject: leaf, comparand: { type, granularity: undefined } }
    }
    const dimension = resolveDimension(planning, leaf.dimension ?? '', dimensionPath(at))
    if (dimension) found.push(dimension)
    return dimension && { subject: leaf, comparand: dimension.planned }
  })
  return found
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
  return toCondition(node, path, planning, (leaf, at) => {
    if (leaf.metric !== undefined) return keyedMetric(planning, facts, builder, { leaf, at })
    const where = dimensionPath(at)
    const dimension = resolveDimension(planning, leaf.dimension ?? '', where)
    const subject = dimension && facts.place(builder, dimension.memberFor(builder), where)
    return subject && { subject, comparand: dimension.planned }
  })
}

/** A metric of the key that a row has: a question of its own, whose answer is joined to the rows. */
function keyedMetric(
  planning: Planning,
  facts: Facts,
  builder: FactBuilder,
  { leaf, at }: { readonly leaf: FilterLeaf; readonly at: string },
): Subject<RowValue> | undefined {
  const { metric: name = '', per = [] } = leaf
  const plan = planKeyed(
    planning,
    name,
    per.map(({ matches }) => matches),
    `${at}.metric`,
  )
  const keys = per.flatMap(({ dimension: key }) => {
    const dimension = resolveDimension(planning, key, `${at}.per`)
    return (dimension && facts.place(builder, dimension.memberFor(builder), `${at}.per`)) ?? []
  })
  const metric = findMetric(planning.project, name, true)
  if (!plan || !metric || keys.length < per.length) return undefined
  const type = typeOf(metric.value)
  return { subject: builder.keyed(plan, keys, type), comparand: { type, granularity: undefined } }
}

export function groupDimension(
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
  const value = facts.groupValue(metric.value)
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
