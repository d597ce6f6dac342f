/** What it costs to know who asks: nothing at all, a call to identity for each request, or the guard's memory. */
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'node:http'
import { Identity } from './harness/identity.js'
import { load } from './harness/load.js'
import { startService } from './harness/service-process.js'

const EDGE = fileURLToPath(new URL('harness/edge.js', import.meta.url))
const SECONDS = 1
/** In turns, so that what else runs on the machine hits all alike; the median counts. */
const ROUNDS = 7
const CALLERS = 16

/** @returns {Promise<import('./harness/report.js').Table[]>} */
export async function run() {
  const identity = await Identity.start()
  const edge = await startService(EDGE, identity.edgeEnvironment())
  const agent = new Agent({ keepAlive: true })
  try {
    const call = (/** @type {string} */ path) => () =>
      get(agent, `http://${edge.address}${path}`, identity.adminKey)
    const [base, asked, known] = await inTurns(['/everybody', '/asked', '/known'], (path) =>
      load({ concurrency: CALLERS, seconds: SECONDS, call: call(path) }),
    )
    if (!base || !asked || !known) throw new Error('three paths have three figures')
    /** @type {(name: string, figures: import('./harness/load.js').Figures) => (string | number)[]} */
    const row = (name, { perSecond, p50, p99 }) => [
      name,
      perSecond,
      p50,
      p99,
      perSecond / base.perSecond,
      p50 / base.p50,
    ]
    return [
      {
        title: `A request with one key at the edge (${String(CALLERS)} callers; ratios to everybody)`,
        columns: ['who passes', 'requests/s', 'p50 ms', 'p99 ms', 'requests ×', 'p50 ×'],
        rows: [
          row('everybody', base),
          row('whom identity is asked about', asked),
          row('whom the guard knows', known),
        ],
      },
    ]
  } finally {
    agent.destroy()
    await edge.stop()
    await identity.stop()
  }
}

/**
 * @param {readonly string[]} paths
 * @param {(path: string) => Promise<import('./harness/load.js').Figures>} measured
 */
async function inTurns(paths, measured) {
  /** @type {import('./harness/load.js').Figures[][]} */
  const figures = paths.map(() => [])
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [place, path] of paths.entries()) figures[place]?.push(await measured(path))
  }
  return figures.map((all) => all.sort((a, b) => a.perSecond - b.perSecond)[Math.floor(ROUNDS / 2)])
}

/**
 * @param {Agent} agent
 * @param {string} url
 * @param {string} key
 * @returns {Promise<void>}
 */
function get(agent, url, key) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` }
    const sent = request(url, { agent, headers }, (response) => {
      response.resume()
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`status ${String(response.statusCode)}`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
