/**
 * Counts what Jest left in `test-results/`. As a command it sums up the files that it is given:
 * `node scripts/test-results.js e2e/test-results/compose.json`
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The folders of all projects of the workspace: `libs/*` stands for each folder of `libs`. */
export function projectFolders(root) {
  const { workspaces } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  return workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [path.join(root, pattern)]
    const parent = path.join(root, pattern.slice(0, -2))
    return readdirSync(parent).map((name) => path.join(parent, name))
  })
}

/** Tests by outcome. A test file that did not even run counts as a failed test. */
export function countTests(files) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of files.filter((each) => existsSync(each))) {
    const result = JSON.parse(readFileSync(file, 'utf8'))
    counts.passed += result.numPassedTests
    counts.failed += result.numFailedTests + result.numRuntimeErrorTestSuites
    counts.skipped += result.numPendingTests + result.numTodoTests
  }
  return counts
}

export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

if (process.argv[1] === import.meta.filename)
  console.log(summary(countTests(process.argv.slice(2))))
