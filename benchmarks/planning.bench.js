/** What it costs to turn a question into its statement in a project of 200 cubes, and to load such a project. */
import { performance } from 'node:perf_hooks'
import { GeneratedProject, randomFrom, randomQuestion } from './harness/generated-project.js'
import { quantile } from './harness/load.js'
import { planner } from './harness/planner.js'

const QUESTIONS = 3_000
const ROUNDS = 5
const SHAPES = 500

/** @type {import('@olytix/auth-guards').Principal} */
const ANALYST = {
  id: 'usr_benchmark',
  kind: 'user',
  email: 'analyst@example.com',
  name: 'An analyst',
  roles: ['analyst'],
  scopes: ['read'],
  attributes: { regions: ['North', 'West'] },
  expiresAt: null,
}

/** @returns {Promise<import('./harness/report.js').Table[]>} */
export async function run() {
  const generated = await GeneratedProject.write()
  try {
    const loads = await timesOfLoading(generated.folder)
    const project = await planner.loadProject(generated.folder, {})
    return [planning(project), loading(loads)]
  } finally {
    await generated.remove()
  }
}

/** @param {string} folder */
async function timesOfLoading(folder) {
  const times = []
  for (let count = 0; count < 5; count += 1) {
    const startedAt = performance.now()
    await planner.loadProject(folder, {})
    times.push(performance.now() - startedAt)
  }
  return times
}

/**
 * @param {readonly number[]} times the first one is that of a process that has just started
 * @returns {import('./harness/report.js').Table}
 */
function loading([first = NaN, ...others]) {
  return {
    title: 'Loading a project of 200 cubes from its files',
    columns: ['what', 'ms'],
    rows: [
      ['for the first time in a process', first],
      ['again, median', quantile(others, 0.5)],
    ],
  }
}

/**
 * @param {Awaited<ReturnType<typeof planner.loadProject>>} project
 * @returns {import('./harness/report.js').Table}
 */
function planning(project) {
  const random = randomFrom(1)
  const questions = Array.from({ length: QUESTIONS }, () => randomQuestion(random))
  const bodies = questions.map((question) => JSON.stringify(question))
  let strangers = 0
  const bare = timesOf((index) => JSON.parse(bodies[index] ?? ''))
  const cold = timesOf((index) => {
    const question = questions[index]
    // Plans are known by who asks.
    const stranger = { ...ANALYST, id: `usr_${String((strangers += 1))}` }
    if (question) planner.planQuestion(project, stranger, question)
  })
  const warm = timesOf((index) => {
    const shape = questions[index % SHAPES]
    if (shape) planner.planQuestion(project, ANALYST, withOtherValues(shape, index))
  })
  /** @type {(name: string, times: readonly number[]) => (string | number)[]} */
  const row = (name, times) => {
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
    return [name, p50 * 1000, p99 * 1000, p50 / quantile(bare, 0.5), p99 / quantile(bare, 0.99)]
  }
  return {
    title: `From a question to its statement (${String(QUESTIONS)} questions; ratios to parsing the body)`,
    columns: ['what', 'p50 µs', 'p99 µs', 'p50 ×', 'p99 ×'],
    rows: [
      row('parsing the body of a question', bare),
      row('planning it for the first time', cold),
      row('planning one of the same shape and other values', warm),
    ],
  }
}

/**
 * @param {ReturnType<typeof randomQuestion>} shape
 * @param {number} value
 */
function withOtherValues({ filters: [first, ...others], ...rest }, value) {
  const filters = first ? [{ ...first, value: `n${String(value)}` }, ...others] : []
  return { ...rest, filters }
}

/**
 * The least time of several rounds for each question, so that what else runs on the machine does not count; nor does the
 * first round, in which code is compiled.
 * @param {(index: number) => unknown} work
 */
function timesOf(work) {
  const best = Array.from({ length: QUESTIONS }, () => Infinity)
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, before] of best.entries()) {
      const startedAt = performance.now()
      work(index)
      if (round > 0) best[index] = Math.min(before, performance.now() - startedAt)
    }
  }
  return best
}
