/**
 * `npm test`: builds, starts one PostgreSQL for the whole run, runs every project's tests and then the system tests,
 * and says at the end how many passed. `npm test -- --skip-nx-cache` runs also what has not changed.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { countTests, projectFolders, summary } from './test-results.js'

const root = path.resolve(import.meta.dirname, '..')
const nxBin = createRequire(import.meta.url).resolve('nx/bin/nx.js')
const own = process.argv.slice(2)
const folders = projectFolders(root)
let running
let interrupted = false
// Stopped half-way, the database must not stay behind: end what runs, then leave through `finally`.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted = true
    running?.kill('SIGTERM')
  })
}

for (const folder of folders)
  rmSync(path.join(folder, 'test-results'), { recursive: true, force: true })
let status = await nx(['run-many', '-t', 'build'])
if (status === 0) {
  const { startTestServer } = await import('../libs/postgres/dist/testing/index.js')
  const server = await startTestServer()
  process.env.OLYTIX_TEST__DATABASE_URL = server.url
  try {
    // Both run whatever the first says: one failing unit test hides no system test.
    const tests = await nx(['run-many', '-t', 'test', ...own])
    const e2e = await nx(['run', '@olytix/e2e:e2e'])
    status = tests || e2e
  } finally {
    await server.stop()
  }
}
const counts = countTests(folders.map((folder) => path.join(folder, 'test-results/jest.json')))
if (status !== 0 && counts.failed === 0) {
  console.log('\nA project does not build, or its tests did not run: see above.')
  counts.failed = 1
}
console.log(`\n${summary(counts)}`)
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0)

function nx(arguments_) {
  console.log(`\n> nx ${arguments_.join(' ')}`)
  if (interrupted) return 1
  running = spawn(process.execPath, [nxBin, ...arguments_, '--output-style=static'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NX_TUI: 'false' },
  })
  return new Promise((resolve) => running.once('close', (code) => resolve(code ?? 1)))
}
