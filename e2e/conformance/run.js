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
import { startTestServer } from '@olytix/postgres/testing'
import { Axis } from './axis.js'
import { asked } from './case.js'
import { difference, otherHash } from './compare.js'
import { policyFile } from './policies.js'
import { Refused } from './refused.js'
import { loadService } from './service.js'
import { loadTables, referenceRows } from './tables.js'
import { translate } from './translate.js'

/** @typedef {import('./case.js').Case} Case */
/** @typedef {import('./compare.js').Row} Row */
/** @typedef {import('./service.js').Project} Project */
/** @typedef {import('./service.js').Service} Service */
/** @typedef {InstanceType<Service['Warehouse']>} Warehouse */
/** @typedef {{ service: Service, warehouse: Warehouse, project: Project, axis: Axis }} Asking */
/** @typedef {{ id: string, tier: string, status: 'passed' | 'wrong' | 'refused' | 'failed', reason: string | undefined }} Result */

const FOLDER = path.resolve(process.env['CONFORMANCE_DIR'] ?? '../shared/conformance/metricflow')
const PROJECT = path.join(import.meta.dirname, 'project')
const PRINCIPAL = {
  kind: /** @type {const} */ ('user'),
  id: 'usr_conformance',
  name: 'Conformance',
  email: 'a@example.com',
  roles: ['viewer'],
  scopes: [/** @type {const} */ ('read')],
  attributes: {},
  expiresAt: null,
}

/** @type {Readonly<Record<string, import('./names.js').Model>>} */
const MODELS = json(new URL('models.json', import.meta.url))
/** @type {Readonly<Record<string, import('./case.js').SavedQuery>>} */
const SAVED = json(new URL('saved-queries.json', import.meta.url))

async function main() {
  if (!existsSync(path.join(FOLDER, 'cases.json'))) {
    console.log(`SKIPPED: there are no conformance cases in ${FOLDER}; set CONFORMANCE_DIR`)
    return 0
  }
  const service = await loadService()
  const { url, stop } = await database()
  const warehouse = new service.Warehouse({ url, maxConnections: 2 })
  try {
    await loadTables(url, path.join(FOLDER, 'tables'))
    return report(await runAll(service, warehouse, url))
  } finally {
    await warehouse.close()
    await stop()
  }
}

async function database() {
  const given = process.env['OLYTIX_TEST__DATABASE_URL']
  return given ? { url: given, stop: () => Promise.resolve() } : startTestServer()
}

/**
 * @param {Service} service
 * @param {Warehouse} warehouse
 * @param {string} url
 */
async function runAll(service, warehouse, url) {
  /** @type {{ cases: Case[] }} */
  const { cases } = json(path.join(FOLDER, 'cases.json'))
  const byId = new Map(cases.map((each) => [each.id, each]))
  const plain = await loaded(service, warehouse, undefined)
  /** @type {Result[]} */
  const results = []
  for (const each of cases) results.push(await runCase(each, plain, url))
  const rules = path.join(FOLDER, 'rls.json')
  if (!existsSync(rules)) return results
  /** @type {{ policies: Record<string, import('./policies.js').Rules>, cases: (Partial<Case> & { id: string, policy: string })[] }} */
  const { policies, cases: variants } = json(rules)
  for (const [name, policy] of Object.entries(policies)) {
    const policed = await loaded(service, warehouse, policyFile(plain.project, policy))
    for (const variant of variants.filter((each) => each.policy === name)) {
      const base = byId.get(variant.id)
      if (!base) throw new Error(`there is no case ${variant.id}`)
      results.push(
        await runCase({ ...base, ...variant, tier: `policy ${name}` }, policed, undefined),
      )
    }
  }
  return results
}

/**
 * The project, with policies added perhaps.
 * @param {Service} service
 * @param {Warehouse} warehouse
 * @param {string | undefined} policies
 * @returns {Promise<Asking>}
 */
async function loaded(service, warehouse, policies) {
  const folder = mkdtempSync(path.join(tmpdir(), 'olytix-conformance-'))
  cpSync(PROJECT, folder, { recursive: true })
  mkdirSync(path.join(folder, 'policies'))
  if (policies) writeFileSync(path.join(folder, 'policies', 'rows.yml'), policies)
  const project = await service.loadProject(folder, {})
  rmSync(folder, { recursive: true })
  return { service, warehouse, project, axis: new Axis(service, project) }
}

/**
 * @param {Case} given
 * @param {Asking} asking
 * @param {string | undefined} url where a reference statement may be run
 * @returns {Promise<Result>}
 */
async function runCase(given, asking, url) {
  const { id, tier } = given
  try {
    const columns = given.expected_columns.map(({ name }) => name)
    const actual = await (given.min_max_only ? askExtremes(given, asking) : ask(given, asking))
    const reason = await otherThanExpected(given, actual, columns, url)
    const isAlsoRight = (given.also_accepted_rows ?? []).some((rows) => {
      return difference(actual, rows, columns, given.check_order) === undefined
    })
    return { id, tier, status: reason && !isAlsoRight ? 'wrong' : 'passed', reason }
  } catch (error) {
    return { id, tier, ...problemOf(error) }
  }
}

/**
 * @param {Case} given
 * @param {readonly Row[]} actual
 * @param {readonly string[]} columns
 * @param {string | undefined} url
 */
async function otherThanExpected(given, actual, columns, url) {
  const { expected_rows: rows, expected_rows_sha256: hash, expected_row_count: count } = given
  if (rows) return difference(actual, rows, columns, given.check_order)
  if (hash !== undefined) {
    const expected = { expected_rows_sha256: hash, expected_row_count: count }
    return otherHash(actual, expected, columns)
  }
  if (url === undefined) {
    throw new Refused('more rows than the case holds, and no reference statement for this policy')
  }
  const reference = await referenceRows(url, given.check_query_pg)
  return difference(actual, reference, columns, given.check_order)
}

/**
 * @param {unknown} error
 * @returns {Pick<Result, 'status' | 'reason'>}
 */
function problemOf(error) {
  if (!(error instanceof Error)) throw error
  const isRefusal = error instanceof Refused || ('code' in error && error.code === 'INVALID_QUERY')
  const details = 'details' in error ? JSON.stringify(error.details) : ''
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return { status: isRefusal ? 'refused' : 'failed', reason: `${error.message} ${details}${cause}` }
}

/**
 * @param {Case} given
 * @param {Asking} asking
 * @returns {Promise<Row[]>}
 */
async function ask(given, { service, project, axis, warehouse }) {
  const model = MODELS[given.model]
  if (!model) throw new Error(`there is no model ${given.model}`)
  const { question, columns } = translate(asked(given, SAVED), model, project, axis)
  const { rows } = await service.runQuery(project, warehouse, PRINCIPAL, question)
  return rows.rows.map((row) => {
    const values = row.map((text, index) =>
      rows.fields[index]?.typeOid === 16 && text !== null ? text === 't' : text,
    )
    return Object.fromEntries(columns.map((column, index) => [column, values[index]]))
  })
}

/**
 * The least and greatest value of a dimension: the first and last of its values, two questions of ours.
 * @param {Case} given
 * @param {Asking} asking
 * @returns {Promise<Row[]>}
 */
async function askExtremes(given, asking) {
  const [name = ''] = [...given.group_bys, ...given.group_by_objs.map((each) => each.name)]
  const end = async (/** @type {string} */ order) => {
    const question = { ...given, order_bys: [order], limit: 1, expected_columns: [] }
    const [row = {}] = await ask(question, asking)
    return Object.values(row)[0] ?? null
  }
  const ends = { min: await end(name), max: await end(`-${name}`) }
  const values = given.expected_columns.map((column) => {
    return [column.name, column.name.endsWith('__min') ? ends.min : ends.max]
  })
  return [Object.fromEntries(values)]
}

/** @param {readonly Result[]} results */
function report(results) {
  for (const tier of new Set(results.map((each) => each.tier))) {
    const own = results.filter((each) => each.tier === tier)
    const count = (/** @type {Result['status']} */ status) =>
      String(own.filter((each) => each.status === status).length)
    console.log(
      `${tier}: ${count('passed')}/${String(own.length)} passed, ${count('refused')} refused, ${count('wrong')} wrong, ${count('failed')} failed`,
    )
  }
  for (const { id, tier, status, reason } of results) {
    if (status !== 'passed') console.log(`${status} [${tier}] ${id}: ${reason ?? ''}`)
  }
  return results.some(({ status }) => status === 'wrong' || status === 'failed') ? 1 : 0
}

/** @param {string | URL} file */
function json(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

process.exitCode = await main()
