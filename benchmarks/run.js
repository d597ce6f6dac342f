/**
 * `npm run bench -- <name>` runs `<name>.bench.js` of this folder and prints its figures; without a name, all of them.
 * A benchmark exports `run()`, which gives tables as `report.js` prints them. Figures are never asserted.
 */
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { startTestServer } from '@olytix/postgres/testing'
import { printTable } from './harness/report.js'

const ENDING = '.bench.js'
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(ENDING))
  .map((file) => file.slice(0, -ENDING.length))
const asked = process.argv.slice(2)
const unknown = asked.find((name) => !known.includes(name))
if (unknown !== undefined) {
  console.error(`There is no benchmark named ${unknown}; there are: ${known.join(', ')}`)
  process.exit(2)
}

const given = process.env['OLYTIX_TEST__DATABASE_URL']
const server = given ? undefined : await startTestServer()
process.env['OLYTIX_TEST__DATABASE_URL'] = given ?? server?.url
console.log(`${String(availableParallelism())} cores, Node ${process.versions.node}`)
try {
  for (const name of asked.length > 0 ? asked : known) {
    /** @type {{ run: () => Promise<import('./harness/report.js').Table[]> }} */
    const benchmark = await import(`./${name}${ENDING}`)
    for (const table of await benchmark.run()) printTable(table)
  }
} finally {
  await server?.stop()
}
