import type { ErrorDetail } from '@olytix/errors'
import type { Project } from '../project/project.js'
import { resolveDimensions } from './asked-dimensions.js'
import { allOf } from './condition.js'
import { Facts } from './facts.js'
import { planFill } from './fill.js'
import { planFilters } from './filters.js'
import { baseWithoutMetrics } from './values-fact.js'
import { Issues } from './issues.js'
import { LateTests } from './late-values.js'
import { findMetric, inputsOf, type NamedMetric } from './metric-inputs.js'
import { planOrder } from './order.js'
import type { QueryPlan } from './query-plan.js'
import type { QueryRequest, Vocabulary } from './query-request.js'

/** How a question is being planned: what is known so far. */
export interface Planning {
  readonly project: Project
  readonly request: QueryRequest
  readonly vocabulary: Vocabulary
  readonly issues: Issues
  readonly late: LateTests
  /** Whether members that are not public exist for it: for definitions they do. */
  readonly seesPrivate: boolean
}

/**
 * Looks up the names of a question and works out how to answer it. Each measure is aggregated from its own cube in a
 * sub-query of its own, which joins only what cannot multiply its rows; the sub-queries then meet on the dimensions.
 * @param vocabulary the names that may be suggested
 * @returns all problems of the question at once, or a plan
 */
export function planQuery(
  project: Project,
  request: QueryRequest,
  vocabulary: Vocabulary,
): QueryPlan | readonly ErrorDetail[] {
  const planning: Planning = {
    project,
    request,
    vocabulary,
    issues: new Issues(),
    late: new LateTests(request),
    seesPrivate: false,
  }
  const plan = planWith(planning)
  return planning.issues.found.length > 0 || !plan ? planning.issues.found : plan
}

function planWith(planning: Planning): QueryPlan | undefined {
  const { project, request, issues } = planning
  if (request.metrics.length + request.dimensions.length === 0) {
    issues.add('metrics', 'ask for at least one metric or dimension')
    return undefined
  }
  checkTimezone(request.timezone, issues)
  const metrics = resolveMetrics(planning)
  const dimensions = resolveDimensions(planning, metrics)
  const facts = new Facts(planning, dimensions)
  for (const metric of metrics.length > 0 ? metrics : metricsOfOrder(planning)) {
    facts.addFactsOf(metric)
  }
  if (request.totals) facts.checkTotals()
  const filters = planFilters(planning, facts, dimensions)
  if (facts.isOfValues) {
    const base = baseWithoutMetrics(planning, dimensions, filters.dimensions)
    facts.addBase(base ?? request.segments[0]?.split('.')[0])
  }
  const planned = metrics.map(({ key, title, format, value }) => {
    return { key, title, format, value: facts.groupValue(value) }
  })
  const having = filters.having()
  const order = planOrder(planning, facts, dimensions)
  const built = facts.build(filters)
  if (!facts.isOfValues) checkHistories(facts, issues)
  const fill = planFill(planning, facts.all, dimensions)
  const { limit, offset, timezone } = request
  return {
    facts: built,
    dimensions: dimensions.map((each) => facts.shown(each)),
    metrics: planned,
    fill,
    having: allOf(having),
    order,
    limit,
    offset,
    timezone,
    members: facts.members(project),
    late: planning.late.found,
  }
}

/**
 * A metric for each value of some dimensions, all of them: what rows are filtered by that have such a key.
 * @returns `undefined` after reporting at `path` what is wrong
 */
export function planKeyed(
  planning: Planning,
  metric: string,
  keys: readonly string[],
  path: string,
): QueryPlan | undefined {
  const { timezone } = planning.request
  const request: QueryRequest = {
    metrics: [metric],
    dimensions: keys,
    filters: [],
    segments: [],
    orderBy: [],
    limit: Infinity,
    offset: 0,
    timezone,
  }
  const issues = new Issues()
  const plan = planWith({ ...planning, request, issues })
  for (const { message, suggestion } of issues.found) planning.issues.add(path, message, suggestion)
  if (!plan || issues.found.length > 0) return undefined
  if (plan.dimensions.length === keys.length) return { ...plan, order: [] }
  planning.issues.add(path, `${metric} has a time grain of its own and is no metric per key`)
  return undefined
}

function resolveMetrics({
  project,
  request,
  vocabulary,
  issues,
  seesPrivate,
}: Planning): NamedMetric[] {
  return [...new Set(request.metrics)].flatMap((key) => {
    const found = findMetric(project, key, seesPrivate)
    if (found && inputsOf(found.value).length > 0) return [found]
    const path = `metrics[${String(request.metrics.indexOf(key))}]`
    issues.unknown(
      path,
      `unknown metric ${JSON.stringify(key.slice(0, 100))}`,
      key,
      vocabulary.metrics,
    )
    return []
  })
}

/** Where no metric is asked for, rows are those of the metrics that they are ordered by. */
function metricsOfOrder({ project, request }: Planning): NamedMetric[] {
  return request.orderBy.flatMap(({ field }) => findMetric(project, field, false) ?? [])
}

/** Values may be those of all times, but a measure would count a row once for each of them. */
function checkHistories(facts: Facts, issues: Issues): void {
  for (const { cube, undatedHistory: history } of facts.all) {
    if (history === undefined) continue
    const message = `${history} is a table with history, and measures of ${cube.name} have no time that says which of its rows is valid`
    issues.add('dimensions', message)
  }
}

function checkTimezone(timezone: string, issues: Issues): void {
  if (!isTimezone(timezone)) {
    issues.add('timezone', 'expected the name of a time zone, such as "Europe/Berlin"')
  }
}

/** Names of the IANA database alone: offsets mean the opposite in PostgreSQL. */
function isTimezone(name: string): boolean {
  if (known.has(name)) return true
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
  } catch {
    return false
  }
  if (known.size < MAX_KNOWN) known.add(name)
  return true
}

/** Asking `Intl` takes longer than all the rest of a plan. A zone may be written in many cases, so there is a limit. */
const known = new Set(['UTC'])
const MAX_KNOWN = 1000
