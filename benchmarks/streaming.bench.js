/** What a million rows cost query-api: memory and time. */
import { performance } from 'node:perf_hooks'
import { QueryApi } from './harness/query-api.js'

const ROWS = 1_000_000
const QUESTION = {
  metrics: ['numbers.total'],
  dimensions: ['numbers.id', 'numbers.label', 'numbers.happened_at'],
  limit: ROWS,
  timeout_ms: 300_000,
}
const FORMATS = {
  NDJSON: 'application/x-ndjson',
  CSV: 'text/csv',
  Arrow: 'application/vnd.apache.arrow.stream',
}

/** @returns {Promise<import('./harness/report.js').Table[]>} */
export async function run() {
  const rows = []
  for (const [name, accept] of Object.entries(FORMATS))
    rows.push([name, ...(await measure(accept))])
  return [
    {
      title: `${ROWS.toLocaleString('en')} rows of four columns, each format from a process of its own`,
      columns: ['format', 'MB sent', 'seconds', 'MB resident before', 'at most'],
      rows,
    },
  ]
}

/** @param {string} accept */
async function measure(accept) {
  const api = await QueryApi.start(ROWS)
  try {
    await (await api.ask(accept, { ...QUESTION, limit: 10 })).arrayBuffer()
    const before = await api.mostResident()
    const startedAt = performance.now()
    const bytes = await sizeOf(await api.ask(accept, QUESTION))
    const seconds = (performance.now() - startedAt) / 1000
    return [inMb(bytes), seconds, inMb(before), inMb(await api.mostResident())]
  } finally {
    await api.stop()
  }
}

/** @param {Response} response */
async function sizeOf({ status, body }) {
  if (status !== 200 || !body) throw new Error(`answered ${String(status)}`)
  let bytes = 0
  for await (const piece of body) bytes += piece.length
  return bytes
}

/** @param {number} bytes */
function inMb(bytes) {
  return bytes / 1024 / 1024
}
