import { finest, grainNamed } from './axis.js'
import { namesOf } from './names.js'
import { Refused } from './refused.js'
import { readWhere } from './where.js'
import { widened } from './widened-range.js'

/** @typedef {import('./case.js').Asked} Asked */
/** @typedef {import('./names.js').NamedGroup} NamedGroup */
/** @typedef {ReturnType<typeof namesOf>} CaseNames */
/** @typedef {import('../../apps/query-api/src/semantics/query-request.js').QueryRequest} Question */

/**
 * A case as a question of ours, and which column of the expected rows each of its members is. What is not only another
 * name: rows as they are (refused), ranges (`widened-range.js`), NOT in conditions (`where.js`), saved queries
 * (`case.js`), and least and greatest values (`run.js`).
 * @param {Asked} asked
 * @param {import('./names.js').Model} model
 * @param {import('./service.js').Project} project
 * @param {import('./axis.js').Axis} axis
 * @returns {{ question: Question, columns: string[] }}
 */
export function translate(asked, model, project, axis) {
  if (!asked.apply_group_by) {
    throw new Refused('answers are grouped; rows as they are cannot be asked for')
  }
  const metrics = asked.metrics.map((name) => namesOf(project, model, []).metric(name))
  const names = namesOf(project, model, axis.bases(metrics))
  const groups = [...asked.group_bys.map((name) => ({ name })), ...asked.group_by_objs].map(
    (group) => names.groupBy(group),
  )
  const filters = asked.wheres.map((text) => {
    return /** @type {Question['filters'][number]} */ (
      readWhere(text, readers(names, project, groups, axis))
    )
  })
  const grain = rangeGrain(groups, metrics, axis)
  const range = asked.time_constraint
  const question = {
    metrics,
    dimensions: groups.map(({ key }) => key),
    filters,
    ...(range && { timeRange: { dimension: 'metric_time', ...widened(range, grain) } }),
    segments: [],
    orderBy: orderOf(asked, groups, metrics, names),
    limit: asked.limit ?? 1_000_000,
    offset: 0,
    timezone: 'UTC',
  }
  const columns = [...groups.map(({ column }) => column), ...asked.metrics]
  return { question, columns: columns.map((name) => expectedColumn(name, asked)) }
}

/**
 * @param {CaseNames} names
 * @param {import('./service.js').Project} project
 * @param {readonly NamedGroup[]} groups
 * @param {import('./axis.js').Axis} axis
 * @returns {import('./where.js').Names}
 */
function readers(names, project, groups, axis) {
  /**
   * @param {string} name
   * @param {string} [grain]
   */
  const leafOf = (name, grain) => {
    const { key, isTime } = names.groupBy({ name, grain: grain ?? null })
    return { leaf: { dimension: key }, isTime }
  }
  return {
    member(call) {
      const [, kind, inner = ''] = /^(\w+)\((.*)\)$/s.exec(call) ?? []
      const [first = '', ...others] = [...inner.matchAll(/'([^']*)'/g)].map(([, text = '']) => text)
      if (kind === 'Dimension' || kind === 'Entity') return leafOf(first)
      if (kind === 'TimeDimension') return leafOf(first, others[0])
      if (kind !== 'Metric') throw new Refused(`cannot read ${call}`)
      const metric = names.metric(first)
      const [base = ''] = axis.bases([metric])
      return {
        leaf: { metric, per: others.map((key) => keyOf(key, base, names, project)) },
        isTime: false,
      }
    },
    bare(name) {
      const group = groups.find(({ column }) => column === name)
      return group ? { leaf: { dimension: group.key }, isTime: group.isTime } : leafOf(name)
    },
  }
}

/**
 * The key in the filtered rows, and the same key in the table that the metric comes from.
 * @param {string} name
 * @param {string} base
 * @param {CaseNames} names
 * @param {import('./service.js').Project} project
 */
function keyOf(name, base, names, project) {
  const entity = name.split('__').at(-1) ?? ''
  const dimension = names.entity(entity)
  const isThere = project.cubes[base]?.dimensions[entity] !== undefined
  return { dimension, matches: isThere ? `${base}.${entity}` : dimension }
}

/**
 * @param {readonly NamedGroup[]} groups
 * @param {readonly string[]} metrics
 * @param {import('./axis.js').Axis} axis
 */
function rangeGrain(groups, metrics, axis) {
  const asked = groups.flatMap(({ key }) => {
    const [name, grain] = key.split('.')
    if (name !== 'metric_time') return []
    return [grain === undefined ? axis.defaultGrain(metrics) : grainNamed(grain)]
  })
  return finest(asked) ?? axis.storedGrain(metrics)
}

/**
 * @param {Asked} asked
 * @param {readonly NamedGroup[]} groups
 * @param {readonly string[]} metrics
 * @param {CaseNames} names
 * @returns {Question['orderBy'][number][]}
 */
function orderOf({ order_bys: terms, metrics: asked }, groups, metrics, names) {
  return terms.map((term) => {
    const direction = term.startsWith('-') ? 'desc' : 'asc'
    const name = term.replace(/^-/, '')
    const metric = metrics[asked.indexOf(name)]
    if (metric !== undefined) return { field: metric, direction }
    const exact = groups.find(({ column }) => column === name)
    return { field: (exact ?? names.groupBy({ name })).key, direction }
  })
}

/**
 * Plain names get the grain that the expected column has.
 * @param {string} name
 * @param {Pick<Asked, 'expected_columns'>} asked
 */
function expectedColumn(name, { expected_columns: columns }) {
  if (columns.some((each) => each.name === name)) return name
  return columns.find((each) => each.name.startsWith(`${name}__`))?.name ?? name
}
