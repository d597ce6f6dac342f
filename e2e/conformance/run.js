/**
 * Asks the questions of conformance cases and compares the answers. Reads `$CONFORMANCE_DIR` (`cases.json`, `rls.json`,
 * `tables/`), and tells per tier how many are right. Exits with 1 when an answer is wrong; a refusal is not a wrong answer.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startTestServer } from '../../libs/postgres/dist/testing/index.js'
import { loadProject } from '../../apps/query-api/dist/project/load-project.js'
import { runQuery } from '../../apps/query-api/dist/query/run-query.js'
import { placeOf, storedGrain } from '../../apps/query-api/dist/semantics/asked-dimensions.js'
import {
  anchorOf,
  findMetric,
  inputsOf,
} from '../../apps/query-api/dist/semantics/metric-inputs.js'
import { Warehouse } from '../../apps/query-api/dist/warehouse/warehouse.js'
import { difference, otherHash } from './compare.js'
import { policyFile } from './policies.js'
import { Refused } from './refused.js'
import { loadTables, referenceRows } from './tables.js'
import { prepared, translate } from './translate.js'

const FOLDER = path.resolve(process.env.CONFORMANCE_DIR ?? '../shared/conformance/metricflow')
const PROJECT = path.join(import.meta.dirname, 'project')
const ORDER = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']
const PRINCIPAL = {
  kind: 'user',
  id: 'usr_conformance',
  email: 'a@example.com',
  roles: ['viewer'],
  scopes: ['read'],
  attributes: {},
}

const compiled = {
  findMetric,
  inputsOf,
  anchorOf,
  /** What plain `metric_time` is for these metrics. */
  defaultGrain: (project, metrics) => coarsest(metrics.flatMap((name) => grainsOf(project, name))),
  storedGrain: (project, metrics) =>
    coarsest(metrics.flatMap((name) => grainsOf(project, name, true))),
}

function grainsOf(project, name, isStored = false) {
  const metric = findMetric(project, name, true)
  if (metric.defaultGrain && !isStored) return [metric.defaultGrain]
  return inputsOf(metric.value).map((input) => storedGrain(placeOf(project.cubes, anchorOf(input))))
}

function coarsest(grains) {
  return grains.sort((a, b) => ORDER.indexOf(b) - ORDER.indexOf(a))[0] ?? 'day'
}

async function main() {
  if (!existsSync(path.join(FOLDER, 'cases.json'))) {
    console.log(`SKIPPED: there are no conformance cases in ${FOLDER}; set CONFORMANCE_DIR`)
    return 0
  }
  const { url, stop } = await database()
  const warehouse = new Warehouse({ url, maxConnections: 2 })
  try {
    await loadTables(url, path.join(FOLDER, 'tables'))
    return await runAll(warehouse, url)
  } finally {
    await warehouse.close()
    await stop()
  }
}

async function database() {
  const given = process.env.OLYTIX_TEST__DATABASE_URL
  return given ? { url: given, stop: () => undefined } : startTestServer()
}

async function runAll(warehouse, url) {
  const { cases } = json('cases.json')
  const rules = existsSync(path.join(FOLDER, 'rls.json'))
    ? json('rls.json')
    : { policies: {}, cases: [] }
  const byId = new Map(cases.map((each) => [each.id, each]))
  const plain = await loaded(undefined)
  const results = []
  for (const each of cases) results.push(await runCase(each, { ...plain, warehouse, url }))
  for (const [name, policy] of Object.entries(rules.policies)) {
    const policed = await loaded(policyFile(plain.project, policy))
    for (const variant of rules.cases.filter((each) => each.policy === name)) {
      const asked = { ...byId.get(variant.id), ...variant, tier: `policy ${name}`, id: variant.id }
      results.push(await runCase(asked, { ...policed, warehouse, url: undefined }))
    }
  }
  return report(results)
}

/** The project, with policies added perhaps. */
async function loaded(policies) {
  const folder = mkdtempSync(path.join(tmpdir(), 'olytix-conformance-'))
  cpSync(PROJECT, folder, { recursive: true })
  mkdirSync(path.join(folder, 'policies'))
  if (policies) writeFileSync(path.join(folder, 'policies', 'rows.yml'), policies)
  const project = await loadProject(folder, {})
  rmSync(folder, { recursive: true })
  const baseOf = (name) => anchorOf(inputsOf(findMetric(project, name, true).value)[0]).cube
  return { project, names: { ...project, baseOf } }
}

async function runCase(given, context) {
  const outcome = { id: given.id, tier: given.tier }
  try {
    const isByHash = given.expected_rows === null && given.expected_rows_sha256 !== undefined
    const expected = isByHash
      ? undefined
      : (given.expected_rows ?? (await expectedRows(given, context)))
    const columns = given.min_max_only
      ? extremes(given)
      : given.expected_columns.map(({ name }) => name)
    const actual = given.min_max_only
      ? await askExtremes(given, context)
      : await ask(prepared(given), context)
    const wrong = isByHash
      ? otherHash(actual, given, columns)
      : difference(actual, expected, columns, given.check_order)
    const also = given.also_accepted_rows ?? []
    const isRight =
      !wrong || also.some((rows) => !difference(actual, rows, columns, given.check_order))
    return { ...outcome, status: isRight ? 'passed' : 'wrong', reason: wrong }
  } catch (error) {
    const isRefusal = error instanceof Refused || error.code === 'INVALID_QUERY'
    const details = (error.details ?? [])
      .map(({ path: at, message }) => `${at} ${message}`)
      .join('; ')
    const cause = error.cause?.message ? ` (${error.cause.message})` : ''
    return {
      ...outcome,
      status: isRefusal ? 'refused' : 'failed',
      reason: `${error.message} ${details}${cause}`,
    }
  }
}

async function expectedRows(given, { url }) {
  if (!url)
    throw new Refused('more rows than the case holds, and no reference statement for this policy')
  return referenceRows(url, given.check_query_pg)
}

async function ask(given, { project, names, warehouse }) {
  const { question, columns } = translate(given, names, compiled)
  const { rows } = await runQuery(project, warehouse, PRINCIPAL, question)
  if (process.env.CONFORMANCE_VERBOSE) console.log(JSON.stringify(question))
  return rows.rows.map((row) => {
    const values = row.map((text, index) =>
      rows.fields[index].typeOid === 16 && text !== null ? text === 't' : text,
    )
    return Object.fromEntries(columns.map((column, index) => [column, values[index]]))
  })
}

function extremes({ expected_columns: columns }) {
  return columns.map(({ name }) => name)
}

/** The least and greatest value of a dimension: the first and last of its values. */
async function askExtremes(given, context) {
  const [name] = [...given.group_bys, ...given.group_by_objs.map((each) => each.name)]
  const row = {}
  for (const [suffix, sign] of [
    ['min', ''],
    ['max', '-'],
  ]) {
    const asked = {
      ...prepared(given),
      order_bys: [`${sign}${name}`],
      limit: 1,
      expected_columns: [],
    }
    const [first = {}] = await ask(asked, context)
    const column = given.expected_columns.find((each) => each.name.endsWith(`__${suffix}`)).name
    row[column] = Object.values(first)[0] ?? null
  }
  return [row]
}

function report(results) {
  const tiers = [...new Set(results.map(({ tier }) => tier))]
  for (const tier of tiers) {
    const own = results.filter((each) => each.tier === tier)
    const count = (status) => own.filter((each) => each.status === status).length
    console.log(
      `${tier}: ${count('passed')}/${own.length} passed, ${count('refused')} refused, ${count('wrong')} wrong, ${count('failed')} failed`,
    )
  }
  for (const { id, tier, status, reason } of results) {
    if (status !== 'passed') console.log(`${status} [${tier}] ${id}: ${reason}`)
  }
  return results.some(({ status }) => status === 'wrong' || status === 'failed') ? 1 : 0
}

function json(name) {
  return JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8'))
}

process.exitCode = await main()
