/**
 * Runs Jest for the project in the current folder, with the flags that ES modules need and a real PostgreSQL for
 * projects that use one. Leaves the result in `test-results/`, an Nx output, so that counts survive the cache.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

mkdirSync('test-results', { recursive: true })
const own = process.argv.slice(2)
const results = own.some((argument) => argument.startsWith('--config')) ? 'compose' : 'jest'
// Ctrl-C reaches Jest as well; this process stays until the database is stopped.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child?.kill(signal))
let child
const environment = { ...process.env }
let server
if (results === 'jest' && needsPostgres() && !environment.OLYTIX_TEST__DATABASE_URL) {
  const { startTestServer } = await import('../libs/postgres/dist/testing/index.js')
  server = await startTestServer()
  environment.OLYTIX_TEST__DATABASE_URL = server.url
}
const status = await runJest()
await server?.stop()
process.exit(status)

function needsPostgres() {
  const { name, dependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
  return name === '@olytix/postgres' || '@olytix/postgres' in dependencies
}

function runJest() {
  const manifest = createRequire(import.meta.url).resolve('jest/package.json')
  child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      path.join(path.dirname(manifest), 'bin/jest.js'),
      '--json',
      `--outputFile=test-results/${results}.json`,
      ...own,
    ],
    // Jest repeats the JSON on standard output; what people read goes to standard error.
    { stdio: ['inherit', 'ignore', 'inherit'], env: environment },
  )
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))
}
