/**
 * Checks what documentation can promise: links lead somewhere, npm scripts that it names exist, every error code has
 * its heading, and the README stays short.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const problems = []
const root = path.resolve(import.meta.dirname, '..')
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const pages = ['README.md', 'CONTRIBUTING.md', ...markdownIn('docs')]

for (const page of pages) checkPage(page)
checkErrorCodes()
const readmeLines = readFileSync(path.join(root, 'README.md'), 'utf8').split('\n').length
if (readmeLines > 151) problems.push(`README.md has ${readmeLines} lines; 150 are allowed`)

for (const problem of problems) console.error(problem)
console.log(`${pages.length} pages checked, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)

function markdownIn(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(folder, name))
}

function checkPage(page) {
  const text = readFileSync(path.join(root, page), 'utf8')
  for (const [, target] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (/^[a-z]+:/.test(target)) continue
    if (!existsSync(path.join(root, path.dirname(page), target)))
      problems.push(`${page}: dead link ${target}`)
  }
  for (const [, name] of text.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)) {
    if (!(name in scripts)) problems.push(`${page}: no script named ${name}`)
  }
  for (const [, target] of text.matchAll(
    /`((?:apps|libs|docs|scripts|e2e|examples)\/[\w./-]+\.\w+)`/g,
  )) {
    if (!existsSync(path.join(root, target))) problems.push(`${page}: ${target} does not exist`)
  }
}

function checkErrorCodes() {
  const table = readFileSync(path.join(root, 'libs/errors/src/error-codes.ts'), 'utf8')
  const headings = readFileSync(path.join(root, 'docs/errors.md'), 'utf8')
  for (const [, code] of table.matchAll(/^ {2}([A-Z_]+): \{/gm)) {
    if (!headings.includes(`\n## ${code}\n`))
      problems.push(`docs/errors.md: no heading for ${code}`)
  }
}
