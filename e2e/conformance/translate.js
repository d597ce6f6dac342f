import { readFileSync } from 'node:fs'
import { namesOf } from './names.js'
import { Refused } from './refused.js'
import { readWhere } from './where.js'

const MODELS = json('models.json')
const SAVED = json('saved-queries.json')

/**
 * A case as a question of ours, and which column of the expected rows each of its members is.
 * @param {object} compiled `findMetric`, `inputsOf`, `anchorOf` of the compiler
 */
export function translate(given, project, compiled) {
  const asked = given.saved_query ? expanded(given) : given
  if (!asked.apply_group_by)
    throw new Refused('answers are grouped; rows as they are cannot be asked for')
  const model = MODELS[asked.model]
  const metrics = asked.metrics.map((name) => namesOf(project, model, []).metric(name))
  const names = namesOf(project, model, basesOf(metrics, project, compiled))
  const groups = [...asked.group_bys.map((name) => ({ name })), ...asked.group_by_objs].map(
    names.groupBy,
  )
  const filters = asked.wheres.map((text) => readWhere(text, readers(names, project, groups)))
  const question = {
    metrics,
    dimensions: groups.map(({ key }) => key),
    filters,
    timeRange: rangeOf(asked, groups, project, metrics, compiled),
    segments: [],
    orderBy: orderOf(asked, groups, metrics, names),
    limit: asked.limit ?? 1_000_000,
    offset: 0,
    timezone: 'UTC',
  }
  const columns = [...groups.map(({ column }) => column), ...asked.metrics]
  return { question, columns: columns.map((name) => expectedColumn(name, asked)) }
}

function expanded(given) {
  const saved = SAVED[given.saved_query]
  if (!saved) throw new Refused(`there is no saved query ${given.saved_query}`)
  return withWheres({
    ...given,
    metrics: [...saved.metrics, ...given.metrics],
    group_bys: [...saved.group_bys, ...given.group_bys],
    order_bys: given.order_bys.length > 0 ? given.order_bys : (saved.order_bys ?? []),
    limit: given.limit ?? saved.limit ?? null,
    wheres: saved.where ? [saved.where] : [],
  })
}

function withWheres(given) {
  return {
    ...given,
    wheres: [...(given.wheres ?? []), ...(given.where_filter ? [given.where_filter] : [])],
  }
}

export function prepared(given) {
  return withWheres(given)
}

function basesOf(metrics, project, { findMetric, inputsOf, anchorOf }) {
  const inputs = metrics.flatMap((name) => inputsOf(findMetric(project, name, true).value))
  return [...new Set(inputs.map((input) => anchorOf(input).cube))]
}

function readers(names, project, groups) {
  const leafOf = (name, grain) => {
    const { key, isTime } = names.groupBy({ name, grain })
    return { leaf: { dimension: key }, isTime }
  }
  return {
    member(call) {
      const [, kind, inner] = /^(\w+)\((.*)\)$/s.exec(call) ?? []
      const texts = [...(inner ?? '').matchAll(/'([^']*)'/g)].map(([, text]) => text)
      if (kind === 'Dimension' || kind === 'Entity') return leafOf(texts[0])
      if (kind === 'TimeDimension') return leafOf(texts[0], texts[1])
      if (kind === 'Metric') return keyed(texts, names, project)
      throw new Refused(`cannot read ${call}`)
    },
    bare(name) {
      const group = groups.find(({ column }) => column === name)
      return group ? { leaf: { dimension: group.key }, isTime: group.isTime } : leafOf(name)
    },
  }
}

function keyed([metric, ...entities], names, project) {
  const inner = names.keysOf?.(metric, entities) ?? innerKeys(metric, entities, names, project)
  return { leaf: { metric: names.metric(metric), per: inner }, isTime: false }
}

/** The key in the filtered rows, and the same key in the table that the metric comes from. */
function innerKeys(metric, entities, names, project) {
  return entities.map((name) => {
    const entity = name.split('__').at(-1)
    const outer = names.entity(entity)
    const base = project.baseOf(names.metric(metric))
    const isThere = project.cubes[base]?.dimensions[entity] !== undefined
    return { dimension: outer, matches: isThere ? `${base}.${entity}` : outer }
  })
}

/** Both ends are inclusive, and the range is widened to whole periods of the grain that is asked for. */
function rangeOf({ time_constraint: range }, groups, project, metrics, compiled) {
  if (!range) return undefined
  const grain = rangeGrain(groups, project, metrics, compiled)
  const start = floor(instant(range[0]), grain)
  const last = instant(range[1])
  const end = range[1].length > 10 ? last : new Date(last.getTime() + 86_399_000)
  const after = next(floor(end, grain), grain)
  const until = `${written(new Date(after.getTime() - 1000))}.999999`
  return { dimension: 'metric_time', start: written(start), end: until }
}

const ORDER = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']

function rangeGrain(groups, project, metrics, compiled) {
  const asked = groups.flatMap(({ key }) => {
    const [name, grain] = key.split('.')
    if (name !== 'metric_time') return []
    return [ORDER.includes(grain) ? grain : grain ? 'day' : compiled.defaultGrain(project, metrics)]
  })
  if (asked.length > 0) return asked.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))[0]
  return compiled.storedGrain(project, metrics)
}

function instant(text) {
  return new Date(`${text.length > 10 ? text.replace(' ', 'T') : `${text}T00:00:00`}Z`)
}

function floor(date, grain) {
  const ms = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }[grain]
  if (ms) return new Date(Math.floor(date.getTime() / ms) * ms)
  const day = new Date(Math.floor(date.getTime() / 86_400_000) * 86_400_000)
  if (grain === 'week') day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  else day.setUTCDate(1)
  if (grain === 'quarter') day.setUTCMonth(day.getUTCMonth() - (day.getUTCMonth() % 3))
  if (grain === 'year') day.setUTCMonth(0)
  return day
}

function next(date, grain) {
  const ms = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 }[
    grain
  ]
  if (ms) return new Date(date.getTime() + ms)
  const after = new Date(date)
  after.setUTCMonth(after.getUTCMonth() + { month: 1, quarter: 3, year: 12 }[grain])
  return after
}

function written(date) {
  return date.toISOString().slice(0, 19)
}

function orderOf({ order_bys: terms, metrics: asked }, groups, metrics, names) {
  return terms.map((term) => {
    const direction = term.startsWith('-') ? 'desc' : 'asc'
    const name = term.replace(/^-/, '')
    const metric = asked.indexOf(name)
    if (metric >= 0) return { field: metrics[metric], direction }
    const exact = groups.find(({ column }) => column === name)
    return { field: (exact ?? names.groupBy({ name })).key, direction }
  })
}

/** Plain names get the grain that the expected column has. */
function expectedColumn(name, { expected_columns: columns }) {
  if (columns.some((each) => each.name === name)) return name
  return columns.find((each) => each.name.startsWith(`${name}__`))?.name ?? name
}

function json(name) {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
}
