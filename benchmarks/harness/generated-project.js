import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const FACTS = 150
const LOOKUPS = 50
const SEGMENTS = ['small', 'large']
const GRAINS = ['day', 'month', 'quarter', 'year']

/**
 * A project of 200 cubes: facts, each joined to four lookups, which are joined to further ones; policies for two roles
 * and a metric or two for each fact, masks for some.
 */
export class GeneratedProject {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder
  }

  static async write() {
    const folder = await mkdtemp(path.join(tmpdir(), 'olytix-generated-'))
    for (const [name, text] of Object.entries(files())) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
      await writeFile(path.join(folder, name), text)
    }
    return new GeneratedProject(folder)
  }

  async remove() {
    await rm(this.folder, { recursive: true })
  }
}

/**
 * A question about a generated project, as it comes out of a body.
 * @param {() => number} random from 0 to 1
 */
export function randomQuestion(random) {
  const below = (/** @type {number} */ limit) => Math.floor(random() * limit)
  const fact = below(FACTS)
  const cube = `fact_${String(fact)}`
  const lookup = `lookup_${String((fact + below(4)) % LOOKUPS)}`
  const shape = {
    metrics: [`${cube}.total_${String(below(3))}`, `${cube}.count`, `ratio_${String(fact)}`],
    dimensions: [`${lookup}.name`, `${cube}.happened_at.${String(GRAINS[below(GRAINS.length)])}`],
    segments: below(2) === 0 ? [`${cube}.${String(SEGMENTS[below(2)])}`] : [],
    orderBy: [{ field: `${cube}.count`, direction: /** @type {const} */ ('desc') }],
    limit: 1000,
    offset: 0,
    timezone: 'UTC',
  }
  const other = `lookup_${String((fact + below(4)) % LOOKUPS)}`
  return {
    ...shape,
    filters: [
      {
        dimension: `${other}.name`,
        operator: /** @type {const} */ ('equals'),
        value: `n${String(below(1e6))}`,
      },
      {
        dimension: `${cube}.attribute_${String(below(4))}`,
        operator: /** @type {const} */ ('inList'),
        value: ['a', `b${String(below(1e6))}`],
      },
    ],
    timeRange: {
      dimension: `${cube}.happened_at`,
      start: `20${String(10 + below(20))}-01-01`,
      end: '2030-12-31',
    },
  }
}

/**
 * Numbers from 0 to 1, the same ones each time.
 * @param {number} seed
 */
export function randomFrom(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** @returns {Record<string, string>} */
function files() {
  const facts = Array.from({ length: FACTS }, (_, index) => index)
  const lookups = Array.from({ length: LOOKUPS }, (_, index) => index)
  const tables = [
    ...facts.map((index) => `{name: fact_${String(index)}}`),
    ...lookups.map((index) => `{name: lookup_${String(index)}}`),
  ]
  return {
    'olytix-core_project.yml': 'name: generated\n',
    'sources/raw.yml': `sources:\n  - name: raw\n    tables: [${tables.join(', ')}]\n`,
    ...Object.fromEntries(
      facts.map((index) => [`cubes/facts/fact_${String(index)}.yml`, factCube(index)]),
    ),
    ...Object.fromEntries(
      lookups.map((index) => [`cubes/lookups/lookup_${String(index)}.yml`, lookupCube(index)]),
    ),
    'metrics/metrics.yml': `metrics:\n${facts.map(metrics).join('')}`,
    'policies/policies.yml': policies(facts, lookups),
  }
}

/** @param {number} index */
function factCube(index) {
  const numbers = [0, 1, 2]
  return `cubes:
  - name: fact_${String(index)}
    sql_table: raw.fact_${String(index)}
    joins:
${[0, 1, 2, 3].map((step) => join((index + step) % LOOKUPS, step)).join('')}
    measures:
      - {name: count, type: count}
      - {name: parties, type: count_distinct, sql: party_id}
${numbers.map((each) => `      - {name: total_${String(each)}, type: sum, sql: amount_${String(each)}}\n      - {name: mean_${String(each)}, type: avg, sql: "amount_${String(each)} / nullif(weight, 0)"}\n`).join('')}
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: happened_at, type: time, primary_time: true}
${[0, 1, 2, 3].map((each) => `      - {name: attribute_${String(each)}, type: string, sql: "lower({CUBE}.attribute_${String(each)})"}\n`).join('')}
    segments:
      - {name: small, sql: amount_0 < 10}
      - {name: large, sql: amount_0 > 1000}
`
}

/** @param {number} index */
function lookupCube(index) {
  return `cubes:
  - name: lookup_${String(index)}
    sql_table: raw.lookup_${String(index)}
    joins:
${join((index + 7) % LOOKUPS, 7)}
    measures: [{name: count, type: count}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: name, type: string}
      - {name: contact, type: string}
`
}

/**
 * @param {number} lookup
 * @param {number} step
 */
function join(lookup, step) {
  const name = `lookup_${String(lookup)}`
  return `      - {name: ${name}, relationship: many_to_one, sql: "{CUBE}.key_${String(step)} = {${name}}.id"}\n`
}

/** @param {number} index */
function metrics(index) {
  const cube = `fact_${String(index)}`
  return `  - {name: ratio_${String(index)}, type: ratio, numerator: {expression: ${cube}.total_0}, denominator: {expression: ${cube}.total_1}}
  - {name: difference_${String(index)}, type: derived, expression: ${cube}.total_1 - ${cube}.total_2}
`
}

/**
 * @param {readonly number[]} facts
 * @param {readonly number[]} lookups
 */
function policies(facts, lookups) {
  const cubes = [
    ...facts.map((index) => `fact_${String(index)}`),
    ...lookups.map((index) => `lookup_${String(index)}`),
  ]
  const each = cubes.map(
    (
      cube,
    ) => `  - {name: ${cube}_regions, cube: ${cube}, roles: [analyst], filter: region in $user.regions}
  - {name: ${cube}_all, cube: ${cube}, roles: [viewer]}
`,
  )
  const masks = lookups.map(
    (index) =>
      `  - {name: contacts_${String(index)}, cube: lookup_${String(index)}, members: [contact], mask: partial, except_roles: [viewer]}\n`,
  )
  return `policies:\n${each.join('')}masking:\n${masks.join('')}`
}
